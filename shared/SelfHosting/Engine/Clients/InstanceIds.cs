namespace FunctionsBackup.SelfHosting.Engine.Clients;

/// <summary>Which ids instances may have; the rules of Durable Functions, so that ids work on both.</summary>
internal static class InstanceIds
{
    private const int Longest = 256;

    /// <exception cref="ArgumentException">It is none.</exception>
    public static void Check(string instanceId)
    {
        if (string.IsNullOrEmpty(instanceId) || instanceId.Length > Longest)
            throw new ArgumentException($"The instance id '{instanceId}' must have 1 to {Longest} characters.", nameof(instanceId));
        if (instanceId[0] == '@')
            throw new ArgumentException($"The instance id '{instanceId}' must not begin with '@'.", nameof(instanceId));
        if (instanceId.Any(c => c is '/' or '\\' or '#' or '?' || char.IsControl(c)))
        {
            throw new ArgumentException(
                $"The instance id '{instanceId}' must not have any of / \\ # ? or a control character.", nameof(instanceId));
        }
    }
}
