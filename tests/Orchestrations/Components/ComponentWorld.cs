using FunctionsBackup.Orchestrations.Restore;
using FunctionsBackup.SelfHosting.Engine;

namespace FunctionsBackup.Tests.Orchestrations.Components;

/// <summary>What a component shows the suite: its source, and how it is destroyed, restored and compared.</summary>
public abstract class ComponentWorld : IAsyncDisposable
{
    /// <summary>Name in the configuration.</summary>
    public abstract string Component { get; }

    /// <summary>Lines below <c>components:</c>, by four spaces; the source has been started.</summary>
    public abstract string Settings { get; }

    /// <summary>Secrets that the settings refer to.</summary>
    public Dictionary<string, string> Environment { get; } = [];

    /// <summary>A folder of the test's own, with the configuration in it.</summary>
    public string Folder { get; private set; } = "";

    /// <summary>Of a source that cannot be destroyed without the world's end, such as a server on which there is only one: empties it.</summary>
    public abstract Task LoseAsync();

    /// <summary>Changes some of the source.</summary>
    public abstract Task ChangeAsync();

    /// <summary>All that must come back, as text that two can be compared by.</summary>
    public abstract Task<string> DigestAsync();

    /// <summary>The same of what a restore made.</summary>
    public abstract Task<string> RestoredAsync(RestoreRequest request);

    /// <summary>A restore of the newest recovery point to a place where nothing is.</summary>
    public abstract RestoreRequest Restore();

    /// <summary>The same restore, asked to replace what is there.</summary>
    public abstract RestoreRequest Replacing(RestoreRequest request);

    /// <summary>Whether a restore that was not asked to replace anything refuses a target that is in use; otherwise it keeps what is there.</summary>
    public virtual bool RefusesWhatIsThere => true;

    /// <summary>Restores that must be refused, each with words of the sentence.</summary>
    public abstract IEnumerable<(RestoreRequest Request, string Words)> Refused();

    /// <summary>Runs before each activity.</summary>
    public virtual Task BeforeAsync(ActivityInvocation call) => Task.CompletedTask;

    /// <summary>From now on, a backup stops in its middle.</summary>
    public abstract void StopHalfWay();

    /// <summary>A backup has stopped in its middle.</summary>
    public abstract Task Stopped { get; }

    /// <summary>Lets it go on.</summary>
    public abstract void GoOn();

    /// <summary>The source dies while the backup stands still.</summary>
    public abstract Task DieAsync();

    /// <summary>It is there again.</summary>
    public abstract Task ReviveAsync();

    public Task StartAsync(string folder)
    {
        Folder = folder;
        return StartSourceAsync();
    }

    public abstract ValueTask DisposeAsync();

    protected abstract Task StartSourceAsync();
}
