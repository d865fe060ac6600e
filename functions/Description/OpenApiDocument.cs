using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.RegularExpressions;
using FunctionsBackup.Functions.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace FunctionsBackup.Functions.Description;

/// <summary>The description of the API (OpenAPI 3.1), made from the table of operations and the records that they speak.</summary>
internal static partial class OpenApiDocument
{
    private static readonly JsonSchemaExporterOptions SchemaOptions = new() { TreatNullObliviousAsNonNullable = true };

    public static JsonObject Create()
    {
        var schemas = new JsonObject();
        var paths = new JsonObject();
        foreach (var operation in ApiOperations.All)
        {
            var path = "/" + operation.Route;
            if (paths[path] is not JsonObject item) paths[path] = item = [];
            item[operation.Method] = Describe(operation, schemas);
        }

        return new JsonObject
        {
            ["openapi"] = "3.1.0",
            ["info"] = new JsonObject
            {
                ["title"] = "FunctionsBackup", ["version"] = typeof(OpenApiDocument).Assembly.GetName().Version!.ToString(3),
                ["description"] = "Backup and recovery for a voice-agents platform. Refusals are problem details (RFC 9457) with one sentence.",
            },
            ["servers"] = new JsonArray(new JsonObject { ["url"] = "/api" }),
            ["paths"] = paths,
            ["components"] = new JsonObject
            {
                ["schemas"] = schemas,
                ["securitySchemes"] = new JsonObject
                {
                    ["key"] = new JsonObject { ["type"] = "apiKey", ["in"] = "header", ["name"] = "x-functions-key" },
                    ["bearer"] = new JsonObject { ["type"] = "http", ["scheme"] = "bearer" },
                },
            },
        };
    }

    private static JsonObject Describe(ApiOperation operation, JsonObject schemas)
    {
        var described = new JsonObject
        {
            ["operationId"] = operation.Function, ["summary"] = operation.Summary, ["parameters"] = Parameters(operation),
            ["responses"] = Responses(operation, schemas),
            ["security"] = operation.Role is null
                ? []
                : new JsonArray(new JsonObject { ["key"] = new JsonArray() }, new JsonObject { ["bearer"] = new JsonArray() }),
        };
        if (operation.Role is { } role) described["x-role"] = role.ToString().ToLowerInvariant();
        if (operation.Request is { } request)
            described["requestBody"] = new JsonObject { ["required"] = operation.RequestRequired, ["content"] = Content("application/json", request, schemas) };
        return described;
    }

    private static JsonArray Parameters(ApiOperation operation)
    {
        var parameters = new JsonArray();
        foreach (Match match in RouteParameter().Matches(operation.Route))
        {
            var name = match.Groups[1].Value;
            var schema = new JsonObject { ["type"] = "string" };
            if (name == "verb") schema["enum"] = new JsonArray([.. operation.Verbs.Select(v => JsonValue.Create(v))]);
            parameters.Add(new JsonObject { ["name"] = name, ["in"] = "path", ["required"] = true, ["schema"] = schema });
        }

        foreach (var name in operation.Query)
        {
            var schema = name switch
            {
                "limit" => new JsonObject { ["type"] = "integer", ["minimum"] = 1 },
                "from" or "to" => new JsonObject { ["type"] = "string", ["format"] = "date-time" },
                _ => new JsonObject { ["type"] = "string" },
            };
            parameters.Add(new JsonObject
            {
                ["name"] = name, ["in"] = "query", ["required"] = false, ["schema"] = schema, ["description"] = ApiOperations.Describe(name),
            });
        }

        return parameters;
    }

    private static JsonObject Responses(ApiOperation operation, JsonObject schemas)
    {
        var success = new JsonObject { ["description"] = ReasonPhrases.GetReasonPhrase(operation.Success) };
        if (operation.Response is { } response) success["content"] = Content("application/json", response, schemas);
        else if (operation.Function == "GetMetrics")
            success["content"] = new JsonObject { ["text/plain"] = new JsonObject { ["schema"] = new JsonObject { ["type"] = "string" } } };
        else success["content"] = new JsonObject { ["application/json"] = new JsonObject { ["schema"] = new JsonObject { ["type"] = "object" } } };
        if (operation.Success == 202)
            success["headers"] = new JsonObject { ["Location"] = new JsonObject { ["schema"] = new JsonObject { ["type"] = "string" } } };
        var responses = new JsonObject { [operation.Success.ToString(CultureInfo.InvariantCulture)] = success };
        foreach (var status in operation.Refusals.Concat(operation.Role is null ? [] : [401, 403, 429]).Order())
        {
            responses[status.ToString(CultureInfo.InvariantCulture)] = new JsonObject
            {
                ["description"] = ReasonPhrases.GetReasonPhrase(status), ["content"] = Content("application/problem+json", typeof(ProblemView), schemas),
            };
        }

        return responses;
    }

    private static JsonObject Content(string mediaType, Type type, JsonObject schemas)
    {
        if (!schemas.ContainsKey(type.Name)) schemas[type.Name] = Schema(type);
        return new JsonObject
        {
            [mediaType] = new JsonObject { ["schema"] = new JsonObject { ["$ref"] = $"#/components/schemas/{type.Name}" } },
        };
    }

    private static JsonNode Schema(Type type)
    {
        var schema = Json.Options.GetJsonSchemaAsNode(type, SchemaOptions);
        Rebase(schema, $"#/components/schemas/{type.Name}");
        return schema;
    }

    /// <summary>The exporter's references start at the schema; here it lies deeper in the document.</summary>
    private static void Rebase(JsonNode? node, string root)
    {
        if (node is JsonArray array)
            foreach (var item in array) Rebase(item, root);
        if (node is not JsonObject group) return;
        if (group["$ref"] is JsonValue reference && reference.GetValue<string>() is ['#', .. var rest]) group["$ref"] = root + rest;
        foreach (var (_, value) in group) Rebase(value, root);
    }

    [GeneratedRegex(@"\{(\w+)\}")]
    private static partial Regex RouteParameter();
}
