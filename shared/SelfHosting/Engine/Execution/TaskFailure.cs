using FunctionsBackup.SelfHosting.Engine.Payloads;
using Microsoft.DurableTask;

namespace FunctionsBackup.SelfHosting.Engine.Execution;

/// <summary>One attempt of a task failed. Never leaves the context: orchestrators see a <see cref="TaskFailedException"/>.</summary>
#pragma warning disable CA1032, CA1064 // Made in one place, caught in another, both ours.
internal sealed class TaskFailure(long taskId, FailureData failure) : Exception(failure.Message)
#pragma warning restore CA1032, CA1064
{
    public FailureData Failure { get; } = failure;

    public TaskFailedException ToPublic(string taskName) => new(taskName, (int)taskId, Failure.ToDetails());
}
