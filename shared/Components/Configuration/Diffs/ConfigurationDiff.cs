using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using FunctionsBackup.Components.Posix;
using FunctionsBackup.Repository.Catalogs;

namespace FunctionsBackup.Components.Configuration.Diffs;

/// <summary>Compares two states of the configuration: text line by line, the rest by size and digest. Memory is bounded by the limits.</summary>
public sealed class ConfigurationDiff
{
    /// <summary>Of the whole text, characters.</summary>
    public const int MaximumText = 48 << 10;

    /// <summary>Larger files are not shown line by line.</summary>
    private const int MaximumFile = 512 << 10;

    private readonly SecretMask _mask = new();
    private readonly StringBuilder _text = new();
    private int _changed, _added, _removed, _unshown;

    private ConfigurationDiff()
    {
    }

    /// <summary>Both in catalog order.</summary>
    /// <param name="old">The state before.</param>
    /// <param name="now">The state after.</param>
    /// <param name="against">What the state before is called.</param>
    /// <param name="cancellationToken">Stops.</param>
    public static async ValueTask<ConfigurationChanges> CompareAsync(
        IAsyncEnumerable<DiffItem> old, IAsyncEnumerable<DiffItem> now, string? against, CancellationToken cancellationToken)
    {
        var diff = new ConfigurationDiff();
        await using var left = old.GetAsyncEnumerator(cancellationToken);
        await using var right = now.GetAsyncEnumerator(cancellationToken);
        var (hasLeft, hasRight) = (await left.MoveNextAsync().ConfigureAwait(false), await right.MoveNextAsync().ConfigureAwait(false));
        while (hasLeft || hasRight)
        {
            var order = !hasLeft ? 1 : !hasRight ? -1 : CatalogOrder.Compare(left.Current.Path, right.Current.Path);
            await diff.AddAsync(order <= 0 ? left.Current : null, order >= 0 ? right.Current : null, cancellationToken).ConfigureAwait(false);
            if (order <= 0) hasLeft = await left.MoveNextAsync().ConfigureAwait(false);
            if (order >= 0) hasRight = await right.MoveNextAsync().ConfigureAwait(false);
        }

        if (diff._unshown > 0) diff._text.Append(CultureInfo.InvariantCulture, $"({diff._unshown} more files differ; the diff is too long to show)\n");
        return new ConfigurationChanges
        {
            Against = against, Changed = diff._changed, Added = diff._added, Removed = diff._removed, Text = diff._text.ToString(),
        };
    }

    private async ValueTask AddAsync(DiffItem? old, DiffItem? now, CancellationToken cancellationToken)
    {
        if (old is not null && now is not null && old.Identity is not null && old.Identity == now.Identity) return;
        var path = ByteName.Display((old ?? now)!.Path);
        // The form as the server gave it differs each time; beside it is the one that is compared.
        if (path.StartsWith("kubernetes/", StringComparison.Ordinal) && path.EndsWith(".raw.json", StringComparison.Ordinal)) return;
        var isSmall = (old?.Size ?? 0) <= MaximumFile && (now?.Size ?? 0) <= MaximumFile;
        var before = isSmall && old is not null ? await old.Read(cancellationToken).ConfigureAwait(false) : null;
        var after = isSmall && now is not null ? await now.Read(cancellationToken).ConfigureAwait(false) : null;
        if (before is not null && after is not null && before.AsSpan().SequenceEqual(after)) return;
        if (old is null) _added++;
        else if (now is null) _removed++;
        else _changed++;
        if (_text.Length >= MaximumText)
        {
            _unshown++;
            return;
        }

        var shown = new StringBuilder();
        shown.Append(CultureInfo.InvariantCulture, $"--- {(old is null ? "/dev/null" : "a/" + path)}\n+++ {(now is null ? "/dev/null" : "b/" + path)}\n");
        if (isSmall && Text(before) is { } oldText && Text(after) is { } newText)
        {
            var hunks = LineDiff.Unified(old is null ? [] : _mask.Lines(path, oldText), now is null ? [] : _mask.Lines(path, newText));
            shown.Append(hunks.Length > 0 ? hunks : "(only ends of lines differ)\n");
        }
        else
            shown.Append(CultureInfo.InvariantCulture, $"(no text: {Describe(old, before)} → {Describe(now, after)})\n");
        if (_text.Length + shown.Length > MaximumText)
        {
            _unshown++;
            return;
        }

        _text.Append(shown);
    }

    private static string Describe(DiffItem? item, byte[]? bytes) => item is null ? "nothing"
        : bytes is null ? $"{item.Size} bytes" : $"{item.Size} bytes, SHA-256 {Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 8))}…";

    /// <summary>Null: it is no text.</summary>
    private static string? Text(byte[]? bytes)
    {
        if (bytes is null) return "";
        if (bytes.AsSpan().Contains((byte)0)) return null;
        try
        {
            var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
            // What a terminal would act on is not shown as it is.
            return text.Any(c => char.IsControl(c) && c is not ('\n' or '\r' or '\t')) ? null : text;
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }
}
