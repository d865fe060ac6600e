using FunctionsBackup.Orchestrations.Restore;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.Orchestrations.Components;

/// <summary>Configuration in a Kubernetes cluster, restored into it by server-side apply.</summary>
public sealed class ClusterWorld : ComponentWorld
{
    private const int Objects = 8;

    private KubernetesServer _server = null!;
    private FlowGate _gate = null!;

    public override string Component => "configuration";

    public override string Settings =>
        $"    configuration: {{ kubernetes: {{ namespaces: [voice], url: \"https://localhost:{_gate.Port}\", token: env:K_TOKEN, ca_file: ./ca.pem }} }}";

    public override Task Stopped => _gate.Stopped;

    protected override async Task StartSourceAsync()
    {
        _server = await KubernetesServer.StartAsync();
        _gate = new FlowGate(() => _server.Port);
        _server.WriteCertificate(Path.Join(Folder, "ca.pem"));
        Environment["K_TOKEN"] = _server.Token;
        for (var i = 0; i < Objects; i++) Put(i, new string((char)('a' + i), 30_000));
        _server.Put("voice", "secrets", "keys", new Dictionary<string, string> { ["api"] = "secret" });
    }

    public override Task LoseAsync()
    {
        for (var i = 0; i < Objects; i++) _server.Delete("voice", "configmaps", $"c{i}");
        _server.Delete("voice", "secrets", "keys");
        return Task.CompletedTask;
    }

    public override Task ChangeAsync()
    {
        Put(3, "another value");
        return Task.CompletedTask;
    }

    public override Task<string> DigestAsync()
    {
        var names = Enumerable.Range(0, Objects).Select(i => ("configmaps", $"c{i}")).Append(("secrets", "keys"));
        return Task.FromResult(string.Join('\n', names.Select(n => $"{n.Item2}: {string.Join(',', _server.Data("voice", n.Item1, n.Item2))}")));
    }

    public override Task<string> RestoredAsync(RestoreRequest request) => DigestAsync();

    public override RestoreRequest Restore() => new() { Component = Component, Target = "kubernetes" };

    public override RestoreRequest Replacing(RestoreRequest request) => request with { Overwrite = true };

    public override IEnumerable<(RestoreRequest Request, string Words)> Refused()
    {
        yield return (Restore() with { Delta = true }, "has no meaning");
        yield return (Restore() with { Target = "somewhere" }, "absolute path");
        yield return (Restore() with { RestoreCommand = "x" }, "has no meaning");
    }

    public override void StopHalfWay() => _gate.StopAfter(100_000);

    public override void GoOn() => _gate.Resume();

    public override Task DieAsync() => _gate.CutAsync();

    public override Task ReviveAsync() => Task.CompletedTask;

    public override async ValueTask DisposeAsync()
    {
        await _gate.DisposeAsync();
        await _server.DisposeAsync();
    }

    private void Put(int number, string value) =>
        _server.Put("voice", "configmaps", $"c{number}", new Dictionary<string, string> { ["value"] = value });
}

public sealed class ClusterConformanceTests : ComponentConformance<ClusterWorld>;
