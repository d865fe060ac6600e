using System.Text.Json;
using System.Text.Json.Serialization;

namespace FunctionsBackup.Repository.Audit;

/// <summary>What a writer signs of a segment (FORMAT.md §9); the segment's header is this in JSON, and the signature behind it.</summary>
public sealed record AuditStatement
{
    internal const string ExpectedMagic = "FunctionsBackup audit segment";
    internal const int ExpectedVersion = 1;

    public required string Magic { get; init; }

    public required int Version { get; init; }

    /// <summary>So that nothing of another repository's log can stand here.</summary>
    public required string Repository { get; init; }

    public required string Writer { get; init; }

    /// <summary>The writer's public key, SubjectPublicKeyInfo.</summary>
    public required byte[] Key { get; init; }

    /// <summary>From 1, without a gap.</summary>
    public required long Sequence { get; init; }

    /// <summary>The hash of the header before; 64 zeros for the first.</summary>
    public required string Previous { get; init; }

    public required DateTimeOffset SealedAt { get; init; }

    public required string Host { get; init; }

    /// <summary>Lines in the body.</summary>
    public required int Entries { get; init; }

    /// <summary>SHA-256 of the body, hex.</summary>
    public required string Body { get; init; }

    /// <summary>Newest segments of other writers that this one had seen, if they are newer than those that it named before.</summary>
    public required IReadOnlyList<AuditHead> Heads { get; init; }

    /// <exception cref="InvalidDataException">It is not one; says why.</exception>
    internal static AuditStatement Parse(ReadOnlySpan<byte> json)
    {
        AuditStatement? statement;
        try
        {
            statement = JsonSerializer.Deserialize(json, AuditJson.Default.AuditStatement);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException("its statement is not what it should be", e);
        }

        if (statement is null || statement.Magic != ExpectedMagic) throw new InvalidDataException("it holds no statement of the audit log");
        if (statement.Version != ExpectedVersion)
            throw new InvalidDataException($"its statement has version {statement.Version}, and this program knows {ExpectedVersion}");
        if (!AuditHead.IsHash(statement.Previous) || !AuditHead.IsHash(statement.Body) || statement.Entries < 0
            || !statement.Heads.All(h => h is { IsValid: true }))
            throw new InvalidDataException("its statement has a field that makes no sense");
        return statement;
    }
}

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(AuditStatement))]
[JsonSerializable(typeof(AuditIntroduction))]
internal sealed partial class AuditJson : JsonSerializerContext;
