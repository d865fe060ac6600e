using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Azure.Core;
using Azure.Identity;
using FunctionsBackup.Components.Configuration;
using FunctionsBackup.Components.Configuration.Sources;
using FunctionsBackup.Operations.Configuration;

namespace FunctionsBackup.Orchestrations.Site;

/// <summary>The sources of configuration that are no files, as they are configured, with their connections.</summary>
public sealed class ConfigurationSources : IDisposable
{
    /// <summary>Where a pod finds its service account ("Accessing the Kubernetes API from a Pod").</summary>
    private const string ServiceAccount = "/var/run/secrets/kubernetes.io/serviceaccount/";

    private readonly List<HttpClient> _clients = [];
    private readonly List<IConfigurationSource> _all = [];
    private (HttpClient Client, KubernetesOptions Options)? _cluster;

    private ConfigurationSources()
    {
    }

    public static ConfigurationSources None { get; } = new();

    public IReadOnlyList<IConfigurationSource> All => _all;

    /// <summary>Opens them; nothing is asked of the services yet.</summary>
    /// <exception cref="ConfigurationException">Something is missing or does not fit.</exception>
    public static ConfigurationSources Open(BackupSite site)
    {
        var settings = site.Configuration.ConfigurationSources;
        var sources = new ConfigurationSources();
        try
        {
            if (settings.Environment.Count > 0)
                sources._all.Add(new EnvironmentSource(site.Options.Environment, settings.Environment));
            if (settings.Kubernetes is { } kubernetes) sources._all.Add(sources.Kubernetes(site, kubernetes));
            if (settings.AppConfiguration is { } store)
            {
                var address = AppConfigurationAddress.Parse(site.Secrets.Resolve(store, "components.configuration.app_configuration.connection"));
                sources._all.Add(new AppConfigurationSource(sources.Client(null), address, site.Time));
            }

            if (settings.KeyVault is { } vault) sources._all.Add(sources.KeyVault(site, vault));
            return sources;
        }
        catch
        {
            sources.Dispose();
            throw;
        }
    }

    /// <summary>The cluster.</summary>
    /// <exception cref="ConfigurationException">None is configured.</exception>
    public KubernetesSource Cluster => _all.OfType<KubernetesSource>().FirstOrDefault() ?? throw NoCluster();

    /// <summary>Writes to the cluster.</summary>
    /// <exception cref="ConfigurationException">None is configured.</exception>
    public KubernetesRestorer Restorer(BackupSite site) =>
        _cluster is { } cluster ? new KubernetesRestorer(cluster.Client, cluster.Options, site.Time) : throw NoCluster();

    private static ConfigurationException NoCluster() =>
        new("No cluster is configured to restore to; add components.configuration.kubernetes to the configuration.");

    public void Dispose()
    {
        foreach (var client in _clients) client.Dispose();
        _clients.Clear();
    }

    private KubernetesSource Kubernetes(BackupSite site, KubernetesSettings settings)
    {
        var inPod = settings.Url is null;
        if (!inPod && settings.Token is null)
            throw new ConfigurationException("components.configuration.kubernetes.url needs kubernetes.token beside it: env:NAME or file:PATH.");
        var url = new Uri(settings.Url ?? InPodAddress(site.Options.Environment));
        // With http the token and all secrets would go over the network as they are.
        if (url.Scheme != "https" && !url.IsLoopback)
            throw new ConfigurationException("components.configuration.kubernetes.url must begin with https://, as a token goes there and secrets come back.");
        var client = Client(settings.CaFile ?? (inPod ? ServiceAccount + "ca.crt" : null));
        var options = new KubernetesOptions(url, Token, settings.Namespaces) { LabelSelector = settings.LabelSelector, Secrets = settings.Secrets };
        _cluster = (client, options);
        return new KubernetesSource(client, options, site.Time);

        string Token() => site.Secrets.Resolve(
            settings.Token ?? new Operations.Configuration.Values.SecretReference(Operations.Configuration.Values.SecretKind.File, ServiceAccount + "token"),
            "components.configuration.kubernetes.token");
    }

    private KeyVaultSource KeyVault(BackupSite site, KeyVaultSourceSettings settings)
    {
        if (!settings.Url.StartsWith("https://", StringComparison.Ordinal))
            throw new ConfigurationException("components.configuration.key_vault.url must begin with https://, as a token goes there.");
        var credential = new DefaultAzureCredential(new DefaultAzureCredentialOptions { ManagedIdentityClientId = settings.Identity, ExcludeInteractiveBrowserCredential = true });
        return new KeyVaultSource(Client(null), new Uri(settings.Url), settings.Values, TokenAsync, site.Time);

        // Awaited as text: with a structure of the SDK in a state machine, listing our types would load the SDK in every process.
        Task<string> Ask(TokenRequestContext context, CancellationToken cancellationToken) => credential.GetTokenAsync(context, cancellationToken).AsTask().ContinueWith(
            static answer => answer.GetAwaiter().GetResult().Token, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

        async ValueTask<string> TokenAsync(string scope, string? tenant, CancellationToken cancellationToken)
        {
            try
            {
                return await Ask(new TokenRequestContext([scope], tenantId: tenant), cancellationToken);
            }
            catch (AuthenticationFailedException e)
            {
                throw new ConfigurationSourceException(
                    "No token of Azure could be had for components.configuration.key_vault; give this machine an identity (managed identity, workload identity, AZURE_CLIENT_ID and its secret or certificate).", e);
            }
        }
    }

    private static string InPodAddress(IReadOnlyDictionary<string, string> environment)
    {
        if (!environment.TryGetValue("KUBERNETES_SERVICE_HOST", out var host) || !environment.TryGetValue("KUBERNETES_SERVICE_PORT", out var port))
            throw new ConfigurationException("This runs in no pod, so components.configuration.kubernetes needs url and token.");
        return $"https://{(host.Contains(':') ? $"[{host}]" : host)}:{port}";
    }

    private HttpClient Client(string? caFile)
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5) };
        if (caFile is not null) handler.SslOptions.CertificateChainPolicy = Trusting(caFile);
        var client = new HttpClient(handler) { Timeout = TimeSpan.FromMinutes(2) };
        _clients.Add(client);
        return client;
    }

    private static X509ChainPolicy Trusting(string caFile)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        try
        {
            policy.CustomTrustStore.ImportFromPemFile(caFile);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new ConfigurationException($"The authority in {caFile}, which components.configuration.kubernetes.ca_file names, cannot be read: {e.Message}", e);
        }

        return policy.CustomTrustStore.Count > 0 ? policy
            : throw new ConfigurationException($"{caFile}, which components.configuration.kubernetes.ca_file names, holds no certificate; it must be a PEM file.");
    }
}
