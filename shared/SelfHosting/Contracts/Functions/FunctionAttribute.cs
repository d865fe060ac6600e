namespace Microsoft.Azure.Functions.Worker;

/// <summary>Marks a method as a function (Microsoft.Azure.Functions.Worker.Core).</summary>
[AttributeUsage(AttributeTargets.Method)]
public class FunctionAttribute(string name) : Attribute
{
    /// <summary>Unique in an application; orchestrators and activities are called by it.</summary>
    public string Name { get; } = name;
}
