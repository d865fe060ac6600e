namespace FunctionsBackup.Tests.Servers;

/// <summary>Stands in at a <see cref="FaultProxy"/> for what the server behind it cannot do.</summary>
public interface IStandIn
{
    /// <summary>The answer to a request; null: the server answers.</summary>
    ValueTask<StandInAnswer?> AnswerAsync(ProxiedRequest request);

    /// <summary>The server has answered: headers that are added to that.</summary>
    IReadOnlyDictionary<string, string> Amend(ProxiedRequest request, int status);
}

/// <param name="Status">HTTP status.</param>
/// <param name="Headers">Names to values.</param>
/// <param name="Body">Not sent in answer to HEAD.</param>
public sealed record StandInAnswer(int Status, IReadOnlyDictionary<string, string> Headers, string Body);
