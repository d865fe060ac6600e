using System.Globalization;
using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Repository.Verification;

namespace FunctionsBackup.Orchestrations.Verification;

/// <summary>Levels of verification as people write them.</summary>
public static class VerificationLevels
{
    /// <summary>Reads <c>quick</c>, <c>sample:N</c>, <c>full</c>; and <c>restore</c>, for which the answer is null.</summary>
    /// <exception cref="InvalidRequestException">It is none of them.</exception>
    public static VerificationOptions? Parse(string level, bool allowRestore = true) => level switch
    {
        "quick" => new VerificationOptions(VerificationLevel.Quick),
        "full" => new VerificationOptions(VerificationLevel.Full),
        "restore" when allowRestore => null,
        _ when level.StartsWith("sample:", StringComparison.Ordinal)
            && double.TryParse(level.AsSpan(7).TrimEnd('%'), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var percent)
            && percent is > 0 and <= 100 => new VerificationOptions(VerificationLevel.Sample) { SamplePercent = percent },
        _ => throw new InvalidRequestException(
            $"The level must be quick, sample:N with N percent from above 0 to 100{(allowRestore ? ", full or restore." : ", or full.")}"),
    };
}
