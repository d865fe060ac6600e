using FunctionsBackup.Orchestrations.Instances;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Orchestrations.Backup;

/// <summary>
/// Who works on which component. Of instances that want the same one, it belongs to the one that is past claiming, else to the one created
/// first, else to the first id: all who look at the same moment see the same, so that racing starts end with one working.
/// </summary>
public static class BackupClaims
{
    /// <summary>The components that a live instance works on, or wants to; null if nobody can tell.</summary>
    public static IReadOnlyList<string>? Of(OrchestrationMetadata instance)
    {
        var status = ReadStatus(instance);
        if (status is null || status.Phase == BackupPhase.Claiming)
        {
            try
            {
                return instance.ReadInputAs<BackupRequest>()?.Components;
            }
            catch (System.Text.Json.JsonException)
            {
                return null;
            }
        }

        if (status.Phase == BackupPhase.Ended) return [];
        return [.. status.Components.Where(c => c.State != ComponentState.Superseded).Select(c => c.Component)];
    }

    /// <summary>Decides for one instance.</summary>
    /// <param name="self">The instance that asks.</param>
    /// <param name="components">What it wants.</param>
    /// <param name="live">All backups that have not ended, oldest first, itself among them.</param>
    public static ClaimResult Decide(string self, IReadOnlyList<string> components, IReadOnlyList<OrchestrationMetadata> live)
    {
        var held = new Dictionary<string, string>();
        var own = live.FirstOrDefault(i => i.InstanceId == self);
        foreach (var other in live.Where(i => i.InstanceId != self).OrderByDescending(IsWorking))
        {
            // Without a view of itself the instance is younger than all that can be seen.
            if (!IsWorking(other) && own is not null && Instance.OldestFirst(own, other) < 0) continue;
            foreach (var component in (Of(other) ?? []).Intersect(components)) held.TryAdd(component, other.InstanceId);
        }

        return new ClaimResult([.. components.Where(c => !held.ContainsKey(c))], held);
    }

    private static bool IsWorking(OrchestrationMetadata instance) =>
        ReadStatus(instance) is { Phase: not (BackupPhase.Claiming or BackupPhase.Ended) };

    private static BackupStatus? ReadStatus(OrchestrationMetadata instance)
    {
        try
        {
            return instance.ReadCustomStatusAs<BackupStatus>();
        }
        catch (System.Text.Json.JsonException)
        {
            return null; // written by another version
        }
    }
}
