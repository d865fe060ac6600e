using System.Diagnostics;
using System.Globalization;
using FunctionsBackup.Components.PostgreSql.Verification;

namespace FunctionsBackup.Tests.Servers;

/// <summary>
/// A S3 service: Ceph's RADOS Gateway over one monitor and one OSD that keeps its data in memory, on 127.0.0.1, with one user. Gone, with
/// its directory, when disposed and also when the test process dies.
/// </summary>
public sealed class RgwServer : IAsyncDisposable
{
    public const string AccessKey = "ciaccesskey";
    public const string SecretKey = "cisecretkey";

    /// <summary>A key of the gateway's testing KMS.</summary>
    public const string KmsKey = "testkey-1";

    private readonly ScratchDirectory _scratch;
    private readonly int[] _ports = FreePorts.Take(3);
    private readonly List<SupervisedProcess> _cluster = [];
    private SupervisedProcess? _gateway;

    private RgwServer(ScratchDirectory scratch) => _scratch = scratch;

    public int Port => _ports[0];

    public Uri Endpoint => EndpointAt(Port);

    private string Config => Path.Combine(_scratch.Path, "ceph.conf");

    /// <summary>The gateway's address through a proxy at another port.</summary>
    public static Uri EndpointAt(int port) => new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"));

    public static async Task<RgwServer> StartAsync(CancellationToken cancellationToken = default)
    {
        var scratch = await ScratchDirectory.CreateAsync(ServerUser.Current, "/tmp", "fbrgw", cancellationToken).ConfigureAwait(false);
        var server = new RgwServer(scratch);
        try
        {
            await server.BuildAsync(cancellationToken).ConfigureAwait(false);
            await server.StartGatewayAsync(cancellationToken).ConfigureAwait(false);
            return server;
        }
        catch
        {
            await server.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async Task StartGatewayAsync(CancellationToken cancellationToken = default)
    {
        _gateway = await DaemonAsync("radosgw", ["-n", "client.admin"], cancellationToken).ConfigureAwait(false);
        if (!await FreePorts.AnswersAsync(Port, () => _gateway.HasExited, cancellationToken).ConfigureAwait(false))
            throw new InvalidOperationException($"The gateway did not start: {Log("radosgw")}");
    }

    /// <summary>SIGKILL to the gateway, in the middle of whatever it does; the data stays.</summary>
    public async Task KillGatewayAsync()
    {
        if (_gateway is null) return;
        using (var server = Process.GetProcessById(_gateway.ServerId)) server.Kill();
        await _gateway.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        await _gateway.DisposeAsync().ConfigureAwait(false);
        _gateway = null;
    }

    public async ValueTask DisposeAsync()
    {
        await KillGatewayAsync().ConfigureAwait(false);
        foreach (var daemon in Enumerable.Reverse(_cluster)) // nothing is worth an orderly end
        {
            if (!daemon.HasExited)
                using (var server = Process.GetProcessById(daemon.ServerId)) server.Kill();
            await daemon.DisposeAsync().ConfigureAwait(false);
        }

        await _scratch.DisposeAsync().ConfigureAwait(false);
    }

    private async Task BuildAsync(CancellationToken cancellationToken)
    {
        var root = _scratch.Path;
        foreach (var folder in new[] { "mon", "osd", "run" }) Directory.CreateDirectory(Path.Combine(root, folder));
        var id = Guid.NewGuid();
        await File.WriteAllTextAsync(Config, Configuration(id), cancellationToken).ConfigureAwait(false);
        var keyring = Path.Combine(root, "keyring");
        await RunAsync(
            "ceph-authtool", ["-C", keyring, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *"], cancellationToken).ConfigureAwait(false);
        await RunAsync(
            "ceph-authtool",
            [keyring, "--gen-key", "-n", "client.admin", "--cap", "mon", "allow *", "--cap", "osd", "allow *", "--cap", "mgr", "allow *"],
            cancellationToken).ConfigureAwait(false);
        var map = Path.Combine(root, "monmap");
        await RunAsync(
            "monmaptool", ["--create", "--addv", "a", $"[v2:127.0.0.1:{_ports[1]}]", "--fsid", $"{id}", map], cancellationToken)
            .ConfigureAwait(false);
        await RunAsync(
            "ceph-mon", ["-c", Config, "--mkfs", "-i", "a", "--monmap", map, "--keyring", keyring], cancellationToken).ConfigureAwait(false);
        _cluster.Add(await DaemonAsync("ceph-mon", ["-i", "a"], cancellationToken).ConfigureAwait(false));
        var osd = Guid.NewGuid();
        await RunAsync(
            "ceph", ["-c", Config, "osd", "new", $"{osd}"], cancellationToken).ConfigureAwait(false);
        await RunAsync(
            "ceph",
            [
                "-c", Config, "auth", "get-or-create", "osd.0", "mon", "allow profile osd", "osd", "allow *", "-o",
                Path.Combine(root, "osd.keyring"),
            ],
            cancellationToken).ConfigureAwait(false);
        await RunAsync(
            "ceph-osd", ["-c", Config, "-i", "0", "--mkfs", "--osd-uuid", $"{osd}"], cancellationToken).ConfigureAwait(false);
        _cluster.Add(await DaemonAsync("ceph-osd", ["-i", "0"], cancellationToken).ConfigureAwait(false));
        await RunAsync(
            "radosgw-admin",
            [
                "-c", Config, "user", "create", "--uid=ci", "--display-name=ci", $"--access-key={AccessKey}", $"--secret-key={SecretKey}",
            ],
            cancellationToken).ConfigureAwait(false);
    }

    private async Task<SupervisedProcess> DaemonAsync(string program, string[] arguments, CancellationToken cancellationToken)
    {
        string[] all = ["-c", Config, .. arguments, "-f", "--setuser", Environment.UserName, "--setgroup", "root"];
        return await SupervisedProcess.StartAsync(
            ServerUser.Current, program, all, Path.Combine(_scratch.Path, $"{program}.out"), cancellationToken).ConfigureAwait(false);
    }

    private static async Task RunAsync(string program, string[] arguments, CancellationToken cancellationToken)
    {
        var result = await ProgramRun.RunAsync(ServerUser.Current.Command(program, arguments), cancellationToken).ConfigureAwait(false);
        if (result.ExitCode != 0) throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} failed: {result.Text}");
    }

    private string Log(string program)
    {
        var file = Path.Combine(_scratch.Path, $"{program}.out");
        return File.Exists(file) ? File.ReadAllText(file) : "";
    }

    private string Configuration(Guid id)
    {
        var root = _scratch.Path;
        return string.Create(CultureInfo.InvariantCulture, $"""
            [global]
            fsid = {id}
            mon_host = v2:127.0.0.1:{_ports[1]}
            public_addr = 127.0.0.1
            cluster_addr = 127.0.0.1
            ms_bind_msgr1 = false
            ms_bind_port_min = {_ports[2]}
            ms_bind_port_max = {Math.Min(_ports[2] + 200, 65535)}
            keyring = {root}/keyring
            auth_allow_insecure_global_id_reclaim = false
            osd_pool_default_size = 1
            osd_pool_default_min_size = 1
            osd_pool_default_pg_num = 8
            osd_pool_default_pgp_num = 8
            osd_pool_default_pg_autoscale_mode = off
            osd_crush_chooseleaf_type = 0
            mon_allow_pool_size_one = true
            mon_max_pg_per_osd = 1000
            run_dir = {root}/run
            admin_socket = {root}/run/$name.asok
            log_file = {root}/$name.log
            crash_dir = {root}/crash
            paxos_propose_interval = 0.05
            paxos_min_wait = 0.01
            [mon]
            mon_data = {root}/mon
            mon_initial_members = a
            mon_data_avail_crit = 1
            mon_data_avail_warn = 2
            [osd]
            keyring = {root}/osd.keyring
            osd_data = {root}/osd
            osd_journal = {root}/osd/journal
            osd_objectstore = memstore
            osd_memory_target = 939524096
            memstore_device_bytes = 4294967296
            osd_class_load_list = *
            osd_class_default_list = *
            [client]
            rgw_frontends = beast endpoint=127.0.0.1:{Port}
            rgw_run_sync_thread = false
            rgw_enable_usage_log = false
            rgw_enable_gc_threads = true
            rgw_rados_pool_pg_num_min = 8
            rgw_crypt_require_ssl = false
            rgw_crypt_s3_kms_backend = testing
            rgw_crypt_s3_kms_encryption_keys = testkey-1=YmluCmJvb3N0CmJvb3N0LWJ1aWxkCmNlcGguY29uZgo=

            """);
    }
}
