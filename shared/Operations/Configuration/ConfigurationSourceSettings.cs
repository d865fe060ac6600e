using FunctionsBackup.Operations.Configuration.Values;

namespace FunctionsBackup.Operations.Configuration;

/// <summary>What the component configuration takes besides files.</summary>
public sealed record ConfigurationSourceSettings
{
    /// <summary>Names or patterns of environment variables.</summary>
    public IReadOnlyList<string> Environment { get; init; } = [];

    /// <summary>Null: no cluster.</summary>
    public KubernetesSettings? Kubernetes { get; init; }

    /// <summary>Connection string of Azure App Configuration; null: none.</summary>
    public SecretReference? AppConfiguration { get; init; }

    /// <summary>Null: no vault.</summary>
    public KeyVaultSourceSettings? KeyVault { get; init; }

    public bool IsEmpty => Environment.Count == 0 && Kubernetes is null && AppConfiguration is null && KeyVault is null;

    internal static ConfigurationSourceSettings From(Func<string, object?> value)
    {
        var namespaces = value(ConfigurationSourceTable.Prefix + "kubernetes.namespaces") as IReadOnlyList<string> ?? [];
        return new ConfigurationSourceSettings
        {
            Environment = value(ConfigurationSourceTable.Prefix + "environment") as IReadOnlyList<string> ?? [],
            Kubernetes = namespaces.Count == 0 ? null : new KubernetesSettings(
                namespaces, Text("kubernetes.url"), value(ConfigurationSourceTable.Prefix + "kubernetes.token") as SecretReference, Text("kubernetes.ca_file"),
                Text("kubernetes.label_selector"), value(ConfigurationSourceTable.Prefix + "kubernetes.secrets") is true),
            AppConfiguration = value(ConfigurationSourceTable.Prefix + "app_configuration.connection") as SecretReference,
            KeyVault = Text("key_vault.url") is { } vault
                ? new KeyVaultSourceSettings(vault, value(ConfigurationSourceTable.Prefix + "key_vault.values") is true, Text("key_vault.identity"))
                : null,
        };

        string? Text(string name) => value(ConfigurationSourceTable.Prefix + name) as string;
    }
}

/// <param name="Namespaces">At least one.</param>
/// <param name="Url">Null: in a pod.</param>
/// <param name="Token">Null: the service account's.</param>
/// <param name="CaFile">Absolute.</param>
/// <param name="LabelSelector">As the API takes it.</param>
/// <param name="Secrets">Whether Secrets are kept.</param>
public sealed record KubernetesSettings(
    IReadOnlyList<string> Namespaces, string? Url, SecretReference? Token, string? CaFile, string? LabelSelector, bool Secrets);

/// <param name="Url">Of the vault.</param>
/// <param name="Values">Whether values are kept.</param>
/// <param name="Identity">Client id of a managed identity.</param>
public sealed record KeyVaultSourceSettings(string Url, bool Values, string? Identity);
