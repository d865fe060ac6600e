using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using FunctionsBackup.SelfHosting.Hosting;

namespace FunctionsBackup.Tests.Functions.Api;

/// <summary>Calls the API and reads what it answers.</summary>
internal sealed class ApiClient(FunctionsHost host) : IDisposable
{
    private readonly HttpClient _http = new() { BaseAddress = new Uri(host.Addresses[0], "api/") };

    public async Task<Reply> SendAsync(
        string method, string path, string? body = null, string? key = null, string contentType = "application/json")
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8);
            request.Headers.ExpectContinue = body.Length > 1 << 20; // as curl: who is refused need not send it all
            request.Content.Headers.Remove("Content-Type");
            request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        }

        if (key is not null) request.Headers.Add("x-functions-key", key);
        using var response = await _http.SendAsync(request);
        return new Reply(
            response.StatusCode, response.Content.Headers.ContentType?.MediaType, response.Headers.Location?.OriginalString,
            await response.Content.ReadAsStringAsync());
    }

    public Task<Reply> GetAsync(string path) => SendAsync("GET", path);

    public Task<Reply> PostAsync(string path, string? body = null) => SendAsync("POST", path, body);

    public void Dispose() => _http.Dispose();
}

internal sealed record Reply(HttpStatusCode Status, string? ContentType, string? Location, string Text)
{
    public int Code => (int)Status;

    public JsonNode Json => JsonNode.Parse(Text)!;

    public string? this[string name] => (string?)Json[name];

    /// <summary>The one sentence of a refusal.</summary>
    public string Detail
    {
        get
        {
            ContentType.ShouldBe("application/problem+json", Text);
            ((int)Json["status"]!).ShouldBe(Code);
            var detail = this["detail"].ShouldNotBeNull();
            detail.ShouldNotContain("\n");
            detail.ShouldNotContain("Exception");
            return detail;
        }
    }
}
