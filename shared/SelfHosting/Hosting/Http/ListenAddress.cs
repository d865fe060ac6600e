using System.Net;

namespace FunctionsBackup.SelfHosting.Hosting.Http;

/// <summary>Where to listen, from addresses as people write them.</summary>
internal static class ListenAddress
{
    /// <summary>Addresses and ports, each once; <c>localhost</c> is 127.0.0.1, <c>*</c> and <c>+</c> are every address.</summary>
    /// <param name="urls">As <c>http://127.0.0.1:7071</c>; port 0: any that is free.</param>
    /// <param name="hasKeys">Whether API keys are configured: without, only this machine is served.</param>
    /// <exception cref="HostingException">One is not valid, or reaches beyond this machine without keys.</exception>
    public static IReadOnlyList<(IPAddress Address, int Port)> Read(IReadOnlyList<string> urls, bool hasKeys)
    {
        if (urls.Count == 0) throw new HostingException("There is no address to listen at; use --urls http://127.0.0.1:7071.");
        var endpoints = urls.Select(Read).Distinct().ToList();
        if (!hasKeys && endpoints.FirstOrDefault(e => !IPAddress.IsLoopback(e.Address)) is { Address: { } open })
            throw new HostingException(
                $"There are no API keys, so the server does not listen at {open}, where others could reach it; make a key with 'fbackup serve keys add NAME --role operator' first, or listen at 127.0.0.1.");
        return endpoints;
    }

    private static (IPAddress Address, int Port) Read(string url)
    {
        var text = url.Replace("://*", "://0.0.0.0", StringComparison.Ordinal).Replace("://+", "://0.0.0.0", StringComparison.Ordinal);
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.PathAndQuery != "/"
            || uri.UserInfo.Length > 0)
            throw new HostingException($"'{url}' is no address to listen at; use http://127.0.0.1:7071.");
        if (uri.Scheme == "https")
            throw new HostingException($"This server speaks plain HTTP and not '{url}'; let a reverse proxy terminate TLS, and listen at http://127.0.0.1:7071.");
        if (uri.Host == "localhost") return (IPAddress.Loopback, uri.Port);
        return IPAddress.TryParse(uri.Host.Trim('[', ']'), out var address)
            ? (address, uri.Port)
            : throw new HostingException($"'{url}' names a host; use an IP address of this machine, or *.");
    }
}
