using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

namespace Microsoft.Azure.Functions.Worker;

/// <summary>Runs the function for an HTTP request (Microsoft.Azure.Functions.Worker.Extensions.Http).</summary>
public sealed class HttpTriggerAttribute : TriggerBindingAttribute
{
    public HttpTriggerAttribute()
        : this([])
    {
    }

    public HttpTriggerAttribute(params string[] methods)
        : this(AuthorizationLevel.Function, methods)
    {
    }

    public HttpTriggerAttribute(AuthorizationLevel authLevel)
        : this(authLevel, [])
    {
    }

    public HttpTriggerAttribute(AuthorizationLevel authLevel, params string[] methods)
    {
        AuthLevel = authLevel;
        Methods = methods;
    }

    /// <summary>Below the prefix of host.json (<c>api</c>), in the form of ASP.NET Core routes; null: the function's name.</summary>
    public string? Route { get; set; }

    public string[]? Methods { get; }

    public AuthorizationLevel AuthLevel { get; }
}

/// <summary>Who may call.</summary>
public enum AuthorizationLevel
{
    /// <summary>Everybody.</summary>
    Anonymous = 0,

    /// <summary>A signed-in user.</summary>
    User = 1,

    /// <summary>Whoever has a function's or the host's key.</summary>
    Function = 2,

    /// <summary>Extensions.</summary>
    System = 3,

    /// <summary>Whoever has the master key.</summary>
    Admin = 4,
}
