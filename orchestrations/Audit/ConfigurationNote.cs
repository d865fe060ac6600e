using System.Security.Cryptography;
using System.Text;
using FunctionsBackup.Operations.Audit;
using FunctionsBackup.Operations.Configuration;

namespace FunctionsBackup.Orchestrations.Audit;

/// <summary>Compares the effective configuration with the one that was noted before. Secrets stand in both by reference only.</summary>
internal static class ConfigurationNote
{
    public static Dictionary<string, string> ValuesOf(BackupConfiguration configuration) =>
        configuration.Effective.Where(e => e.Value is not null).ToDictionary(e => e.Setting.Path, e => e.Display);

    /// <summary>The entry of a change; null if there is none.</summary>
    public static AuditEntry? Compare(IReadOnlyDictionary<string, string>? before, IReadOnlyDictionary<string, string> now)
    {
        var hash = HashOf(now);
        if (before is not null && HashOf(before) == hash) return null;
        var facts = new Dictionary<string, string> { ["hash"] = hash };
        if (before is not null) facts["hash_before"] = HashOf(before);
        return new AuditEntry
        {
            Action = AuditActions.ConfigurationChanged,
            Outcome = AuditOutcome.Done,
            Actor = AuditActor.OfRequest(null), // the file says not who changed it
            Facts = facts,
            Items = before is null ? [] : [.. Changes(before, now)],
        };
    }

    private static IEnumerable<AuditItem> Changes(IReadOnlyDictionary<string, string> before, IReadOnlyDictionary<string, string> now)
    {
        foreach (var path in before.Keys.Union(now.Keys).Order(StringComparer.Ordinal))
        {
            var (old, current) = (before.GetValueOrDefault(path), now.GetValueOrDefault(path));
            if (old == current) continue;
            var outcome = old is null ? "set" : current is null ? "removed" : "changed";
            yield return new AuditItem(path, outcome, $"{old ?? "not set"} → {current ?? "not set"}");
        }
    }

    /// <summary>SHA-256 of all settings and values, in order.</summary>
    private static string HashOf(IReadOnlyDictionary<string, string> values)
    {
        var text = string.Concat(values.OrderBy(v => v.Key, StringComparer.Ordinal).Select(v => $"{v.Key}={v.Value}\n"));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }
}
