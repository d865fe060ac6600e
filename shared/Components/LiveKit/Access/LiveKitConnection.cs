namespace FunctionsBackup.Components.LiveKit.Access;

/// <summary>Where a LiveKit server is, and the pair that signs tokens for it.</summary>
/// <param name="Url">Of the server, <c>http</c>, <c>https</c>, <c>ws</c> or <c>wss</c>.</param>
/// <param name="ApiKey">Names the secret.</param>
/// <param name="ApiSecret">Can sign a token for anything: it is never sent, shown or kept.</param>
public sealed record LiveKitConnection(string Url, string ApiKey, string ApiSecret)
{
    /// <summary>The root of the server's HTTP interface, ending in <c>/</c>.</summary>
    /// <exception cref="FormatException">The address is none.</exception>
    public Uri HttpAddress
    {
        get
        {
            if (!Uri.TryCreate(Url, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https" or "ws" or "wss") || uri.UserInfo.Length > 0)
                throw new FormatException("The address of the LiveKit server must be a plain https://, http://, wss:// or ws:// address.");
            var builder = new UriBuilder(uri) { Scheme = uri.Scheme is "ws" or "http" ? "http" : "https", Query = "", Fragment = "" };
            if (uri.IsDefaultPort) builder.Port = -1;
            builder.Path = builder.Path.TrimEnd('/') + "/";
            return builder.Uri;
        }
    }

    /// <summary>Without the secret.</summary>
    public override string ToString() => Url;
}
