using System.Text.Json.Nodes;
using FunctionsBackup.Functions.Description;

namespace FunctionsBackup.Tests.Functions.Api;

/// <summary>The description is valid OpenAPI 3.1 as far as this document uses it, and says what there is.</summary>
public sealed class OpenApiTests
{
    private readonly JsonObject _document = OpenApiDocument.Create();

    [Fact]
    public async Task It_is_served_to_everybody()
    {
        await using var site = await TestSite.CreateAsync();
        using var api = new ApiClient(await site.ServeAsync());
        var reply = await api.GetAsync("openapi.json");
        reply.ContentType.ShouldBe("application/json");
        JsonNode.DeepEquals(reply.Json, JsonNode.Parse(_document.ToJsonString())).ShouldBeTrue();
    }

    [Fact]
    public void Every_operation_is_described_as_the_standard_asks()
    {
        ((string)_document["openapi"]!).ShouldMatch("^3\\.1\\.\\d+$");
        _document["info"]!["title"].ShouldNotBeNull();
        _document["info"]!["version"].ShouldNotBeNull();
        var ids = new List<string>();
        foreach (var (path, item) in _document["paths"]!.AsObject())
        {
            path.ShouldStartWith("/");
            foreach (var (method, operation) in item!.AsObject())
            {
                new[] { "get", "post" }.ShouldContain(method);
                ids.Add((string)operation!["operationId"]!);
                var parameters = operation["parameters"]!.AsArray();
                foreach (var parameter in parameters)
                {
                    parameter!["schema"]!["type"].ShouldNotBeNull();
                    if ((string)parameter["in"]! == "path") ((bool)parameter["required"]!).ShouldBeTrue();
                }

                // each name in the path is declared, and nothing else
                System.Text.RegularExpressions.Regex.Matches(path, @"\{(\w+)\}").Select(m => m.Groups[1].Value)
                    .ShouldBe(parameters.Where(p => (string)p!["in"]! == "path").Select(p => (string)p!["name"]!));
                var responses = operation["responses"]!.AsObject();
                responses.Count.ShouldBeGreaterThan(0);
                foreach (var (status, response) in responses)
                {
                    status.ShouldMatch("^[2-5]\\d\\d$");
                    ((string)response!["description"]!).ShouldNotBeEmpty();
                }

                if (method == "get") operation["requestBody"].ShouldBeNull();
                foreach (var requirement in operation["security"]!.AsArray())
                    foreach (var (scheme, _) in requirement!.AsObject()) _document["components"]!["securitySchemes"]![scheme].ShouldNotBeNull();
            }
        }

        ids.ShouldBe(ApiOperations.All.Select(o => o.Function), ignoreOrder: true);
    }

    [Fact]
    public void Every_reference_leads_somewhere()
    {
        var count = 0;
        Walk(_document);
        count.ShouldBeGreaterThan(30);

        void Walk(JsonNode? node)
        {
            if (node is JsonArray array)
                foreach (var item in array) Walk(item);
            if (node is not JsonObject group) return;
            foreach (var (name, value) in group)
            {
                if (name == "$ref")
                {
                    count++;
                    JsonNode? target = _document;
                    foreach (var part in ((string)value!).TrimStart('#', '/').Split('/'))
                        target = target is JsonArray items ? items[int.Parse(part)] : target![part];
                    target.ShouldNotBeNull((string)value!);
                }

                Walk(value);
            }
        }
    }

    [Fact]
    public void Bodies_are_described_with_what_they_must_have()
    {
        var restore = _document["components"]!["schemas"]!["StartRestore"]!;
        restore["required"]!.AsArray().Select(r => (string)r!).ShouldBe(["component", "target"], ignoreOrder: true);
        restore["properties"]!["to_time"].ShouldNotBeNull();
        ((bool)restore["additionalProperties"]!).ShouldBeFalse();
    }
}
