using Microsoft.DurableTask;

namespace FunctionsBackup.SelfHosting.Engine.Payloads;

/// <summary>Why something failed, as it is stored.</summary>
/// <param name="Type">Full name of the exception's type.</param>
/// <param name="Message">What it said.</param>
/// <param name="Stack">Where it was thrown.</param>
/// <param name="Inner">Its cause.</param>
/// <param name="IsFinal">No retry can mend it: what was called does not exist.</param>
internal sealed record FailureData(string Type, string Message, string? Stack = null, FailureData? Inner = null, bool IsFinal = false)
{
    /// <summary>Longer messages and stacks are cut: histories stay small.</summary>
    private const int LongestText = 8 * 1024;

    private const int DeepestCause = 16;

    public static FailureData From(Exception exception) => From(TaskFailureDetails.FromException(exception), 0);

    public static FailureData Parse(string? json) =>
        Payload.Deserialize<FailureData>(json) ?? new FailureData("Unknown", "The failure was not recorded.");

    public string ToJson() => Payload.Serialize(this, int.MaxValue, "A failure")!;

    public TaskFailureDetails ToDetails() => new(Type, Message, Stack, Inner?.ToDetails(), null);

    private static FailureData From(TaskFailureDetails details, int depth) => new(
        details.ErrorType, Cut(details.ErrorMessage) ?? string.Empty, Cut(details.StackTrace),
        details.InnerFailure is { } inner && depth < DeepestCause ? From(inner, depth + 1) : null);

    private static string? Cut(string? text) => text?.Length > LongestText ? text[..LongestText] + "…" : text;
}
