using System.Security.Cryptography;
using System.Text;

namespace FunctionsBackup.Components.PostgreSql.Protocol;

/// <summary>The answer to AuthenticationMD5Password: <c>"md5" + md5(md5(password + user) + salt)</c> (PostgreSQL manual, 55.2.1).</summary>
internal static class Md5Password
{
    public static string Answer(string user, string password, ReadOnlySpan<byte> salt)
    {
#pragma warning disable CA5351 // the protocol's own choice; servers that still ask for it know no better
        Span<byte> inner = stackalloc byte[32 + salt.Length];
        Encoding.ASCII.GetBytes(Convert.ToHexStringLower(MD5.HashData(Encoding.UTF8.GetBytes(password + user))), inner);
        salt.CopyTo(inner[32..]);
        return "md5" + Convert.ToHexStringLower(MD5.HashData(inner));
#pragma warning restore CA5351
    }
}
