namespace FunctionsBackup.Tests.Servers;

/// <summary>What a <see cref="FaultProxy"/> does to a request.</summary>
public enum HttpFault
{
    None,

    /// <summary>The connection is reset and the server never hears of the request.</summary>
    ResetBefore,

    /// <summary>The server does what it was asked, and the connection is reset before the answer.</summary>
    ResetAfter,

    /// <summary>The request body is cut: the server gets half of it, then the connection closes.</summary>
    CutRequest,

    /// <summary>The answer's body is cut half way.</summary>
    CutAnswer,

    /// <summary>The answer's body comes in drops.</summary>
    SlowAnswer,

    /// <summary>503 with Retry-After: 0; the server never hears of it.</summary>
    Busy,

    /// <summary>429 with Retry-After: 0; the server never hears of it.</summary>
    TooMany,

    /// <summary>500 although the server has done what it was asked.</summary>
    ErrorAfter,

    /// <summary>The request reaches the server twice; the second answer counts.</summary>
    Twice,
}

/// <summary>A request at the proxy.</summary>
/// <param name="Number">From 1, in the order of arrival.</param>
/// <param name="Method">GET, PUT, …</param>
/// <param name="Target">Path and query as the client wrote them.</param>
/// <param name="Headers">Names to values.</param>
public sealed record ProxiedRequest(int Number, string Method, string Target, IReadOnlyDictionary<string, string> Headers);
