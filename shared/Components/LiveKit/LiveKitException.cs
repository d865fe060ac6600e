namespace FunctionsBackup.Components.LiveKit;

/// <summary>A LiveKit server refused, did not answer, or answered what no LiveKit server does. The message is one sentence with the mend.</summary>
public sealed class LiveKitException(string message, string code, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The code of the Twirp error, as in <c>not_found</c>; <c>malformed</c> for an answer that cannot be read.</summary>
    public string Code { get; } = code;

    /// <summary>The same call may succeed later.</summary>
    public bool IsTransient => Code is "unavailable" or "deadline_exceeded" or "resource_exhausted";

    /// <summary>Key and secret do not fit the server, or may not do this.</summary>
    public bool IsDenied => Code is "unauthenticated" or "permission_denied";

    /// <summary>The server does not have the service: an old version, or one without the Redis that SIP, ingress and egress need.</summary>
    public bool IsServiceMissing => Code is "bad_route" or "unimplemented" or "not_connected";
}
