using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace FunctionsBackup.Tests.Components.PostgreSql.Protocol;

/// <summary>Certificates for a test server, made anew for each test.</summary>
internal static class TestCertificates
{
    /// <summary>Writes server.crt and server.key as the server wants them.</summary>
    /// <returns>PEM files of the authority that signed, and of one that did not.</returns>
    public static async Task<(string Authority, string Other)> WriteAsync(string dataDirectory, string host)
    {
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var authority = Authority(authorityKey, "CN=authority");
        using var otherKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var other = Authority(otherKey, "CN=other");
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={host}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(host);
        request.CertificateExtensions.Add(names.Build());
        var now = DateTimeOffset.UtcNow;
        using var certificate = request.Create(authority, now.AddMinutes(-5), now.AddHours(1), [1, 2, 3, 4]);

        var keyFile = Path.Combine(dataDirectory, "server.key");
        await File.WriteAllTextAsync(Path.Combine(dataDirectory, "server.crt"), certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(keyFile, key.ExportPkcs8PrivateKeyPem());
        File.SetUnixFileMode(keyFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        if (Environment.UserName != "postgres")
        {
            using var chown = Process.Start("chown", $"postgres {keyFile}");
            await chown.WaitForExitAsync();
        }

        var authorityFile = Path.Combine(dataDirectory, "authority.pem");
        var otherFile = Path.Combine(dataDirectory, "other.pem");
        await File.WriteAllTextAsync(authorityFile, authority.ExportCertificatePem());
        await File.WriteAllTextAsync(otherFile, other.ExportCertificatePem());
        return (authorityFile, otherFile);
    }

    private static X509Certificate2 Authority(ECDsa key, string name)
    {
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var now = DateTimeOffset.UtcNow;
        return request.CreateSelfSigned(now.AddMinutes(-10), now.AddHours(2));
    }
}
