using FunctionsBackup.Components.PostgreSql.Backup;

namespace FunctionsBackup.Tests.EndToEnd.Recovery;

/// <summary>Worlds are made once, when a test first asks for one, and shared: nothing that tests do changes them.</summary>
public sealed class RecoveryWorlds : IAsyncLifetime
{
    private readonly Dictionary<(int Version, PostgresBackupMode Mode), Task<RecoveryWorld>> _worlds = [];

    public Task InitializeAsync() => Task.CompletedTask;

    internal Task<RecoveryWorld> GetAsync(int version, PostgresBackupMode mode)
    {
        lock (_worlds)
        {
            if (!_worlds.TryGetValue((version, mode), out var world))
                _worlds.Add((version, mode), world = RecoveryWorld.CreateAsync(version, mode));
            return world;
        }
    }

    public async Task DisposeAsync()
    {
        foreach (var world in _worlds.Values)
            if (world.IsCompletedSuccessfully) await (await world).DisposeAsync();
    }
}

/// <summary>One after the other: each test boots servers.</summary>
[CollectionDefinition(Name)]
public sealed class RecoveryCollection : ICollectionFixture<RecoveryWorlds>
{
    public const string Name = "recovery";
}
