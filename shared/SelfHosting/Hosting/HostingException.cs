namespace FunctionsBackup.SelfHosting.Hosting;

/// <summary>The host cannot start. The message has one sentence on each thing that is wrong, with the mend; one a line.</summary>
public sealed class HostingException : Exception
{
    public HostingException(string message, Exception? inner = null)
        : base(message, inner) => Problems = [message];

    public HostingException(IReadOnlyList<string> problems)
        : base(string.Join('\n', problems)) => Problems = problems;

    public IReadOnlyList<string> Problems { get; }
}
