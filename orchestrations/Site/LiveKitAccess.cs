using FunctionsBackup.Components.LiveKit.Access;
using FunctionsBackup.Operations.Configuration;

namespace FunctionsBackup.Orchestrations.Site;

/// <summary>The LiveKit server of a site.</summary>
public static class LiveKitAccess
{
    /// <exception cref="ConfigurationException">It is not configured, or its key or secret is not there.</exception>
    public static LiveKitConnection Connect(BackupSite site)
    {
        var settings = site.Configuration.LiveKit
            ?? throw new ConfigurationException($"livekit is not configured; add components.livekit to {site.Configuration.File}.");
        return new LiveKitConnection(
            settings.Url, site.Secrets.Resolve(settings.ApiKey, "components.livekit.api_key"),
            site.Secrets.Resolve(settings.ApiSecret, "components.livekit.api_secret"));
    }
}
