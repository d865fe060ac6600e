using FunctionsBackup.Functions;
using FunctionsBackup.Functions.Access;
using FunctionsBackup.Functions.Description;
using FunctionsBackup.SelfHosting.Hosting.Access;
using FunctionsBackup.SelfHosting.Hosting.Discovery;
using FunctionsBackup.SelfHosting.Hosting.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Configuration;

namespace FunctionsBackup.Tests.Functions.Api;

/// <summary>Every route with every role.</summary>
public sealed class RoleTests
{
    [Fact]
    public async Task Each_route_answers_those_who_may_and_nobody_else()
    {
        await using var site = await TestSite.CreateAsync();
        var keys = new ApiKeys(Path.Combine(site.StateFolder, "api-keys.json"), TimeProvider.System);
        var callers = new Dictionary<ApiRole, string>
        {
            [ApiRole.Viewer] = keys.Add("v", Role.Viewer), [ApiRole.Operator] = keys.Add("o", Role.Operator), [ApiRole.Approver] = keys.Add("a", Role.Approver),
        };
        using var api = new ApiClient(await site.ServeAsync());
        foreach (var operation in ApiOperations.All)
        {
            var path = operation.Route.Replace("{id}", "x").Replace("{verb}", "cancel");
            var anonymous = await api.SendAsync(operation.Method.ToUpperInvariant(), path);
            anonymous.Code.ShouldBe(operation.IsJournal ? 404 : operation.Role is null ? 200 : 401, operation.Function); // no LiveKit here to take events of
            foreach (var (role, key) in callers)
            {
                var code = (await api.SendAsync(operation.Method.ToUpperInvariant(), path, key: key)).Code;
                if (operation.Role is null || role >= operation.Role) code.ShouldNotBeOneOf(401, 403);
                else code.ShouldBe(403, $"{operation.Function} as {role}");
            }
        }
    }

    [Theory]
    [InlineData("\"overwrite\": true", 403, 202)]
    [InlineData("\"delta\": true", 403, 202)]
    [InlineData("\"delta\": true, \"delete_extra\": true", 403, 202)]
    [InlineData("\"overwrite\": true, \"plan_only\": true", 202, 202)]
    [InlineData("\"overwrite\": false", 202, 202)]
    public async Task What_may_replace_data_that_is_there_needs_an_approver(string options, int asOperator, int asApprover)
    {
        await using var site = await TestSite.CreateAsync();
        var keys = new ApiKeys(Path.Combine(site.StateFolder, "api-keys.json"), TimeProvider.System);
        var (one, other) = (keys.Add("o", Role.Operator), keys.Add("a", Role.Approver));
        using var api = new ApiClient(await site.ServeAsync());
        var body = $$"""{ "component": "logs", "target": "{{site.Folder}}/restored", {{options}} }""";
        var answer = await api.SendAsync("POST", "restores", body, one);
        answer.Code.ShouldBe(asOperator, answer.Text);
        if (asOperator == 403) answer.Detail.ShouldContain("needs the role approver");
        (await api.SendAsync("POST", "restores", body, other)).Code.ShouldBe(asApprover);
        if (options.Contains("plan_only", StringComparison.Ordinal) || options.Contains("delete_extra", StringComparison.Ordinal)) return;
        var everything = $$"""{ "target": "{{site.Folder}}/site", {{options}} }""";
        (await api.SendAsync("POST", "site-restores", everything, one)).Code.ShouldBe(asOperator);
        (await api.SendAsync("POST", "site-restores", everything, other)).Code.ShouldBe(asApprover);
    }

    [Fact]
    public void The_table_of_operations_is_that_of_the_functions()
    {
        var routes = HttpRoute.Read(FunctionCatalog.Discover([typeof(FunctionsApp).Assembly]), "");
        routes.Select(r => (r.Function.Name, r.Methods.Single().ToLowerInvariant(), r.Pattern.RawText))
            .ShouldBe(ApiOperations.All.Select(o => (o.Function, o.Method, (string?)o.Route)), ignoreOrder: true);
        foreach (var route in routes)
            (route.Level == AuthorizationLevel.Anonymous).ShouldBe(ApiOperations.Find(route.Function.Name)!.Role is null, route.Function.Name);
    }

    [Theory]
    [InlineData(null, null, null, ApiRole.Operator)] // a function key
    [InlineData(null, "approver", null, ApiRole.Approver)]
    [InlineData(null, "nonsense", null, null)]
    [InlineData("""{"auth_typ":"aad","claims":[{"typ":"roles","val":"approver"}]}""", null, null, ApiRole.Operator)] // forged: authentication is off
    [InlineData("""{"auth_typ":"aad","claims":[{"typ":"roles","val":"viewer"},{"typ":"roles","val":"approver"}]}""", null, "True", ApiRole.Approver)]
    [InlineData("""{"auth_typ":"aad","claims":[{"typ":"roles","val":"nothing"}]}""", null, "True", null)]
    [InlineData("""{"auth_typ":"aad"}""", null, "True", null)]
    [InlineData("nonsense", null, "True", null)]
    public void On_Azure_the_role_comes_from_the_platform(string? principal, string? keyRole, string? enabled, ApiRole? role)
    {
        var settings = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["WEBSITE_AUTH_ENABLED"] = enabled, [AzureCallers.KeyRole] = keyRole,
        }).Build();
        var request = new DefaultHttpContext().Request;
        if (principal is not null)
            request.Headers["X-MS-CLIENT-PRINCIPAL"] = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(principal));
        new AzureCallers(settings).Find(request).Role.ShouldBe(role);
    }
}
