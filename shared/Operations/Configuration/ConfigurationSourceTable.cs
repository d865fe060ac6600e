namespace FunctionsBackup.Operations.Configuration;

/// <summary>The settings of what the component configuration takes besides files.</summary>
internal static class ConfigurationSourceTable
{
    internal const string Prefix = "components.configuration.";

    public static IReadOnlyList<Setting> All { get; } =
    [
        new(Prefix + "environment", SettingKind.Globs, null,
            "Environment variables to keep, by name or pattern: [\"LIVEKIT_*\", TZ]. Nothing that is not named is kept."),
        new(Prefix + "kubernetes.namespaces", SettingKind.Globs, null, "Namespaces whose ConfigMaps and Secrets are kept.") { Required = true },
        new(Prefix + "kubernetes.url", SettingKind.Url, null, "Address of the API server; without it this runs in a pod, with its service account."),
        new(Prefix + "kubernetes.token", SettingKind.Secret, null, "The bearer token for kubernetes.url."),
        new(Prefix + "kubernetes.ca_file", SettingKind.Path, null, "PEM file with the authority that signed the API server's certificate."),
        new(Prefix + "kubernetes.label_selector", SettingKind.Text, null, "Only objects with these labels: app=livekit,tier!=test."),
        new(Prefix + "kubernetes.secrets", SettingKind.Boolean, "true", "Keep Secrets beside ConfigMaps."),
        new(Prefix + "app_configuration.connection", SettingKind.Secret, null,
            "Connection string of Azure App Configuration: Endpoint=https://…;Id=…;Secret=…, as its access keys show it.") { Required = true },
        new(Prefix + "key_vault.url", SettingKind.Url, null, "Azure Key Vault whose secrets' names and attributes are kept: https://NAME.vault.azure.net.") { Required = true },
        new(Prefix + "key_vault.values", SettingKind.Boolean, "false", "Keep the values of the secrets too."),
        new(Prefix + "key_vault.identity", SettingKind.Text, null, "Client id of a user-assigned managed identity that may read the vault."),
    ];
}
