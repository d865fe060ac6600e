using System.Text.Json;
using Azure;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Identity;
using FunctionsBackup.Repository.Keys;

namespace FunctionsBackup.Repository.KeyVault;

/// <summary>Sends requests to Key Vault's REST API, version 7.4, and turns its refusals into sentences.</summary>
internal sealed class KeyVaultClient(KeyVaultOptions options)
{
    private const string ApiVersion = "7.4";

    /// <summary>Answers are some hundred bytes.</summary>
    private const int MaximumAnswer = 64 << 10;

    private readonly HttpPipeline _pipeline = CreatePipeline(options);

    /// <summary>Sends a request and returns the answer of a success; whoever holds secrets in it wipes it.</summary>
    /// <param name="method">GET or POST.</param>
    /// <param name="path">Below the vault: <c>keys/NAME/VERSION/wrapkey</c>.</param>
    /// <param name="body">JSON, or null.</param>
    /// <param name="what">What is tried, for errors: <c>wrap with</c>.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="KeyServiceException">It was refused, or the vault could not be reached.</exception>
    public async ValueTask<byte[]> SendAsync(
        RequestMethod method, string path, ReadOnlyMemory<byte>? body, string what, CancellationToken cancellationToken)
    {
        using var message = _pipeline.CreateMessage();
        message.Request.Method = method;
        message.Request.Uri.Reset(new Uri($"{options.Key.Vault}{path}?api-version={ApiVersion}"));
        message.Request.Headers.Add("Accept", "application/json");
        if (body is { } json)
        {
            message.Request.Headers.Add("Content-Type", "application/json");
            message.Request.Content = RequestContent.Create(json);
        }

        var cannot = $"Cannot {what} the key {options.Key} of Key Vault:";
        try
        {
            await _pipeline.SendAsync(message, cancellationToken).ConfigureAwait(false);
            if (message.Response.Content.ToMemory().Length > MaximumAnswer)
                throw new KeyServiceException($"{cannot} the answer is far too large; is {options.Key.Vault} a key vault?");
            return message.Response.Status == 200
                ? message.Response.Content.ToArray()
                : throw new KeyServiceException($"{cannot} {Explain(message.Response)}.") { MayPass = message.Response.Status is 429 or >= 500 };
        }
        catch (KeyVaultRefusedException e)
        {
            throw new KeyServiceException($"{cannot} {e.Message}.");
        }
        catch (AuthenticationFailedException e) // no identity here, or it was refused a token
        {
            throw new KeyServiceException(
                $"{cannot} no token of Azure could be had ({FirstLine(e.Message)}); give this machine an identity (managed identity, workload "
                + "identity, AZURE_CLIENT_ID and its secret or certificate).",
                e);
        }
        catch (Exception e) when (e is RequestFailedException or HttpRequestException or IOException or AggregateException)
        {
            throw new KeyServiceException($"{cannot} {options.Key.Vault} does not answer ({FirstLine(Innermost(e).Message)}); look at the network.", e)
            {
                MayPass = true,
            };
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new KeyServiceException($"{cannot} {options.Key.Vault} did not answer in time; look at the network.", e) { MayPass = true };
        }
    }

    private static HttpPipeline CreatePipeline(KeyVaultOptions options)
    {
        var settings = new Options();
        settings.Retry.MaxRetries = options.Retries;
        settings.Retry.Delay = TimeSpan.FromMilliseconds(500);
        settings.Retry.MaxDelay = TimeSpan.FromSeconds(5);
        settings.Retry.NetworkTimeout = options.Timeout;
        // Requests and answers hold keys.
        settings.Diagnostics.IsLoggingEnabled = false;
        settings.Diagnostics.IsLoggingContentEnabled = false;
        settings.Diagnostics.IsDistributedTracingEnabled = false;
        settings.Diagnostics.IsTelemetryEnabled = false;
        if (options.Transport is { } transport) settings.Transport = transport;
        var credential = options.Credential ?? new DefaultAzureCredential(new DefaultAzureCredentialOptions
        {
            ManagedIdentityClientId = options.ManagedIdentity,
            ExcludeInteractiveBrowserCredential = true,
        });
        return HttpPipelineBuilder.Build(settings, [], [new KeyVaultChallengePolicy(credential)], null);
    }

    /// <summary>The service's own words, after what to do.</summary>
    private static string Explain(Response response)
    {
        var (code, said) = Error(response.Content);
        var words = said is null ? "" : $" ({FirstLine(said)})";
        return response.Status switch
        {
            401 => $"it was refused the token (401){words}; the identity must be of the vault's tenant",
            403 when code is "KeyDisabled" or "KeyNotYetValid" or "KeyExpired" =>
                $"the key or this version of it is disabled or out of its time{words}; enable it, or open the repository with another slot",
            403 => $"it was forbidden (403){words}; give the identity the role 'Key Vault Crypto Service Encryption User', or the permissions "
                + "get, wrapKey and unwrapKey, and look at the vault's firewall",
            404 => $"there is no such key or version (404){words}; recover it if it was deleted, or correct the address",
            429 => $"the vault is being asked too often (429){words}; try again later",
            >= 500 => $"the vault is in trouble ({response.Status}){words}; try again later, or open the repository with another slot",
            _ => $"it was refused ({response.Status}){words}; the key must be an RSA key that may wrapKey and unwrapKey",
        };
    }

    private static (string? Code, string? Message) Error(BinaryData content)
    {
        try
        {
            using var document = JsonDocument.Parse(content.ToMemory());
            if (!document.RootElement.TryGetProperty("error", out var error) || error.ValueKind != JsonValueKind.Object) return default;
            var code = Text(error, "code");
            // The code of a refusal says Forbidden; why stands inside.
            if (error.TryGetProperty("innererror", out var inner) && inner.ValueKind == JsonValueKind.Object) code = Text(inner, "code") ?? code;
            return (code, Text(error, "message"));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return default; // a proxy's page, say; the status is told
        }

        static string? Text(JsonElement element, string name) =>
            element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
    }

    private static Exception Innermost(Exception exception)
    {
        while (exception.InnerException is { } inner) exception = inner;
        return exception;
    }

    private static string FirstLine(string text)
    {
        var line = new string([.. text.Split('\n')[0].Trim().TrimEnd('.').Where(c => !char.IsControl(c))]);
        return line.Length <= 240 ? line : line[..240] + "…";
    }

    private sealed class Options : ClientOptions;
}
