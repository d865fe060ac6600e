using FunctionsBackup.SelfHosting.Hosting;
using FunctionsBackup.SelfHosting.Hosting.Discovery;
using FunctionsBackup.SelfHosting.Hosting.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Tests.SelfHosting.Hosting;

public sealed class DiscoveryTests
{
    [Fact]
    public void Functions_are_found_by_their_attributes()
    {
        var found = FunctionCatalog.Of([typeof(Good), typeof(GoodStatic)]).Functions;
        found.Select(f => (f.Name, f.Kind)).ShouldBe(
        [
            ("Look", FunctionKind.Http), ("Measure", FunctionKind.Activity), ("Run", FunctionKind.Orchestrator), ("Tick", FunctionKind.Timer),
        ]);
        found[0].Parameters.Select(p => p.Source).ShouldBe(
        [
            ParameterSource.Trigger, ParameterSource.Route, ParameterSource.DurableClient, ParameterSource.Context, ParameterSource.Cancellation,
        ]);
        found[0].EntryPoint.ShouldEndWith("Good.LookAsync");
    }

    [Theory]
    [InlineData(typeof(Twice), "Two functions are called 'Same'")]
    [InlineData(typeof(NoTrigger), "has no trigger")]
    [InlineData(typeof(TwoTriggers), "has 2 triggers; keep one")]
    [InlineData(typeof(WrongOrchestrator), "the parameter 'context' must be a TaskOrchestrationContext")]
    [InlineData(typeof(WrongTimer), "the parameter 'timer' must be a TimerInfo")]
    [InlineData(typeof(WrongHttp), "the parameter 'request' must be an HttpRequest")]
    [InlineData(typeof(WrongClient), "the parameter 'client' must be a DurableTaskClient")]
    [InlineData(typeof(ClientInOrchestrator), "is a client, which an orchestrator may not use")]
    [InlineData(typeof(NoSource), "the parameter 'clock' of type TimeProvider has no source; services come by the constructor")]
    [InlineData(typeof(NotPublic), "is not public")]
    [InlineData(typeof(Abstract), "is in a class of which there can be no instance")]
    [InlineData(typeof(Generic<>), "is generic")]
    [InlineData(typeof(ReturnsValueTask), "returns a ValueTask; return a Task")]
    [InlineData(typeof(AsyncVoid), "is 'async void'")]
    [InlineData(typeof(BadName), "has a name that cannot be used")]
    [InlineData(typeof(ByReference), "is passed by reference")]
    [InlineData(typeof(BadRetry), "has a retry attribute that is not valid")]
    [InlineData(typeof(RetryOnActivity), "has a retry attribute, which only timers may have here")]
    public void What_could_not_run_is_refused_with_a_sentence(Type type, string sentence) =>
        Should.Throw<HostingException>(() => FunctionCatalog.Of([type])).Message.ShouldContain(sentence);

    [Fact]
    public void All_problems_are_named_at_once() =>
        Should.Throw<HostingException>(() => FunctionCatalog.Of([typeof(NoTrigger), typeof(Twice), typeof(NotPublic)]))
            .Problems.Count.ShouldBe(3);

    [Theory]
    [InlineData(typeof(Clash), "The functions 'A' and 'B' have the same route 'api/things/{id}'")]
    [InlineData(typeof(ClashOfAll), "have the same route")]
    [InlineData(typeof(BadRoute), "has a route 'things/{id' that is not valid")]
    [InlineData(typeof(NotInRoute), "the parameter 'name' has no source; it is not in the route 'things/{id}'")]
    [InlineData(typeof(BadRouteType), "is a TimeSpan, which a route cannot give")]
    public void So_are_routes(Type type, string sentence) =>
        Should.Throw<HostingException>(() => HttpRoute.Read(FunctionCatalog.Of([type]), "api")).Message.ShouldContain(sentence);

    [Fact]
    public void One_route_may_have_a_function_for_each_method() =>
        HttpRoute.Read(FunctionCatalog.Of([typeof(NoClash)]), "api").Count.ShouldBe(3);

    public sealed class Good
    {
        [Function("Look")]
        public Task<IResult> LookAsync(
            [HttpTrigger(AuthorizationLevel.Function, "get", Route = "look/{id}")] HttpRequest request, string id,
            [DurableClient] DurableTaskClient client, FunctionContext context, CancellationToken cancellationToken) =>
            Task.FromResult(Results.Ok(id));

        [Function("Measure")]
        public int Measure([ActivityTrigger] string input) => input.Length;
    }

    public static class GoodStatic
    {
        [Function("Run")]
        public static Task RunAsync([OrchestrationTrigger] TaskOrchestrationContext context) => Task.CompletedTask;

        [Function("Tick")]
        public static void Tick([TimerTrigger("0 * * * * *")] TimerInfo timer)
        {
        }
    }

    public static class Twice
    {
        [Function("Same")]
        public static void A([ActivityTrigger] string input)
        {
        }

        [Function("same")]
        public static void B([ActivityTrigger] string input)
        {
        }
    }

    public static class NoTrigger
    {
        [Function("A")]
        public static void A(string input)
        {
        }
    }

    public static class TwoTriggers
    {
        [Function("A")]
        public static void A([ActivityTrigger] string input, [TimerTrigger("* * * * *")] TimerInfo timer)
        {
        }
    }

    public static class WrongOrchestrator
    {
        [Function("A")]
        public static Task A([OrchestrationTrigger] string context) => Task.CompletedTask;
    }

    public static class WrongTimer
    {
        [Function("A")]
        public static void A([TimerTrigger("* * * * *")] string timer)
        {
        }
    }

    public static class WrongHttp
    {
        [Function("A")]
        public static IResult A([HttpTrigger] HttpContext request) => Results.Ok();
    }

    public static class WrongClient
    {
        [Function("A")]
        public static void A([ActivityTrigger] string input, [DurableClient] object client)
        {
        }
    }

    public static class ClientInOrchestrator
    {
        [Function("A")]
        public static Task A([OrchestrationTrigger] TaskOrchestrationContext context, [DurableClient] DurableTaskClient client) =>
            Task.CompletedTask;
    }

    public static class NoSource
    {
        [Function("A")]
        public static void A([ActivityTrigger] string input, TimeProvider clock)
        {
        }
    }

    public static class NotPublic
    {
        [Function("A")]
        internal static void A([ActivityTrigger] string input)
        {
        }
    }

    public abstract class Abstract
    {
        [Function("A")]
        public void A([ActivityTrigger] string input)
        {
        }
    }

    public sealed class Generic<T>
    {
        [Function("A")]
        public void A([ActivityTrigger] T input)
        {
        }
    }

    public static class ReturnsValueTask
    {
        [Function("A")]
        public static ValueTask A([ActivityTrigger] string input) => default;
    }

    public static class AsyncVoid
    {
        [Function("A")]
        public static async void A([ActivityTrigger] string input) => await Task.Yield();
    }

    public static class BadName
    {
        [Function("a b")]
        public static void A([ActivityTrigger] string input)
        {
        }
    }

    public static class ByReference
    {
        [Function("A")]
        public static void A([ActivityTrigger] ref string input)
        {
        }
    }

    public static class BadRetry
    {
        [Function("A")]
        [FixedDelayRetry(3, "soon")]
        public static void A([TimerTrigger("* * * * *")] TimerInfo timer)
        {
        }
    }

    public static class RetryOnActivity
    {
        [Function("A")]
        [FixedDelayRetry(3, "00:00:10")]
        public static void A([ActivityTrigger] string input)
        {
        }
    }

    public static class Clash
    {
        [Function("A")]
        public static IResult A([HttpTrigger("get", Route = "things/{id}")] HttpRequest request) => Results.Ok();

        [Function("B")]
        public static IResult B([HttpTrigger("post", "get", Route = "/things/{name}")] HttpRequest request) => Results.Ok();
    }

    public static class ClashOfAll
    {
        [Function("A")]
        public static IResult A([HttpTrigger(Route = "Things")] HttpRequest request) => Results.Ok();

        [Function("B")]
        public static IResult B([HttpTrigger("post", Route = "things")] HttpRequest request) => Results.Ok();
    }

    public static class BadRoute
    {
        [Function("A")]
        public static IResult A([HttpTrigger(Route = "things/{id")] HttpRequest request) => Results.Ok();
    }

    public static class NotInRoute
    {
        [Function("A")]
        public static IResult A([HttpTrigger(Route = "things/{id}")] HttpRequest request, string name) => Results.Ok();
    }

    public static class BadRouteType
    {
        [Function("A")]
        public static IResult A([HttpTrigger(Route = "things/{id}")] HttpRequest request, TimeSpan id) => Results.Ok();
    }

    public static class NoClash
    {
        [Function("A")]
        public static IResult A([HttpTrigger("get", Route = "things/{id}")] HttpRequest request, int id) => Results.Ok();

        [Function("B")]
        public static IResult B([HttpTrigger("post", Route = "things/{id}")] HttpRequest request) => Results.Ok();

        [Function("C")]
        public static IResult C([HttpTrigger("get", Route = "things/all/{id}")] HttpRequest request) => Results.Ok();
    }
}
