using System.Security.Cryptography;

namespace FunctionsBackup.Repository.Audit;

/// <summary>A segment that its writer signed.</summary>
/// <param name="Name">Of the object.</param>
/// <param name="Statement">What was signed.</param>
/// <param name="Head">What fixes it.</param>
/// <param name="Body">Its entries, one line each; empty where only the header was read.</param>
public sealed record AuditSegment(string Name, AuditStatement Statement, AuditHead Head, ReadOnlyMemory<byte> Body)
{
    private const byte NewLine = (byte)'\n';

    /// <summary>Whether a host sealed it that only writes: it reads no other chain, so what it says of others counts for nothing.</summary>
    public bool IsOfWriteOnlyHost { get; init; }

    /// <summary>The entries, each UTF-8 without its line end.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> Lines()
    {
        for (var rest = Body; rest.Length > 0;)
        {
            var end = rest.Span.IndexOf(NewLine);
            yield return end < 0 ? rest : rest[..end];
            rest = end < 0 ? default : rest[(end + 1)..];
        }
    }

    internal static byte[] JoinLines(IReadOnlyList<ReadOnlyMemory<byte>> lines)
    {
        var body = new byte[lines.Sum(l => l.Length + 1)];
        var at = 0;
        foreach (var line in lines)
        {
            if (line.Span.Contains(NewLine)) throw new ArgumentException("An entry is one line.", nameof(lines));
            line.CopyTo(body.AsMemory(at));
            body[at + line.Length] = NewLine;
            at += line.Length + 1;
        }

        return body;
    }

    /// <summary>Opens a header and checks all that can be checked without the segment before.</summary>
    /// <exception cref="InvalidDataException">It is not the writer's segment of that number; says why.</exception>
    internal static AuditSegment Read(string name, string repository, string writer, long sequence, ReadOnlySpan<byte> header)
    {
        if (header.Length <= AuditSigner.SignatureSize) throw new InvalidDataException("it holds no statement of the audit log");
        var signed = header[..^AuditSigner.SignatureSize];
        var statement = AuditStatement.Parse(signed);
        if (statement.Repository != repository) throw new InvalidDataException($"it belongs to the repository {statement.Repository}");
        if (statement.Writer != writer || statement.Sequence != sequence)
            throw new InvalidDataException($"it is segment {statement.Sequence} of writer {statement.Writer}");
        if (AuditSigner.WriterOf(statement.Key) != writer) throw new InvalidDataException("its key is not that of its writer");
        if (!AuditSigner.Verify(statement.Key, signed, header[^AuditSigner.SignatureSize..]))
            throw new InvalidDataException("its writer has not signed it");
        return new AuditSegment(name, statement, new AuditHead(writer, sequence, Convert.ToHexStringLower(SHA256.HashData(header))), default);
    }

    /// <exception cref="InvalidDataException">The body is not the one that was signed.</exception>
    internal AuditSegment With(ReadOnlyMemory<byte> body)
    {
        if (Convert.ToHexStringLower(SHA256.HashData(body.Span)) != Statement.Body)
            throw new InvalidDataException("its entries are not those that its writer signed");
        var segment = this with { Body = body };
        var lines = body.Length == 0 ? 0 : body.Span.Count(NewLine);
        return lines == Statement.Entries && (body.Length == 0 || body.Span[^1] == NewLine)
            ? segment
            : throw new InvalidDataException($"it has {lines} entries and says {Statement.Entries}");
    }
}
