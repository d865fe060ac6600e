using System.Text.Json.Serialization;
using Microsoft.DurableTask;

namespace FunctionsBackup.Tests.Parity.Scenarios;

/// <summary>Inputs, outputs and what becomes of them on the way.</summary>
internal static class DataScenarios
{
    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("records, enums, times and nulls", async s =>
        {
            Echo<Everything>(s);
            await s.Run("Main", new Everything("ä\"\n☃", null, Kind.Second,
                new DateTimeOffset(2026, 11, 25, 1, 2, 3, TimeSpan.FromHours(2)), TimeSpan.FromMinutes(90.5),
                [1, 2], new Dictionary<string, long> { ["Bytes"] = long.MaxValue }, 0.1m,
                    Guid.Parse("00000000-0000-4000-8000-000000000001"), [1, 2, 255]));
        }),
        new("fields are left out", async s =>
        {
            Echo<WithFields>(s);
            await s.Run("Main", new WithFields { Field = 1, Property = 2 });
        },
        "With the Functions worker's serializer. The Durable Task packages alone would keep fields."),
        new("value tuples are lost", async s =>
        {
            Echo<(int A, string B)>(s);
            await s.Run("Main", (1, "x"));
        },
        "With the Functions worker's serializer: their members are fields."),
        new("names of properties are matched without regard to case", async s =>
        {
            Echo<Small>(s);
            await s.Run("Main", new Dictionary<string, object> { ["name"] = "x", ["COUNT"] = 3 });
        }),
        new("a member that is not known is passed over", async s =>
        {
            Echo<Small>(s);
            await s.Run("Main", new { Name = "x", Count = 3, More = true });
        }),
        new("polymorphism by declared types", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c, Shape shape) => await c.CallActivityAsync<Shape>("Echo", shape));
            s.Activity("Echo", (Shape shape) =>
            {
                s.Say(shape.GetType().Name);
                return shape;
            });
            await s.Run("Main", new Circle(2));
        },
        "Values are written as what they are, not as what they are declared as, so the type's discriminator is missing."),
        new("an input of null and one that is missing", async s =>
        {
            s.Orchestrator("Main", (TaskOrchestrationContext c) => Task.FromResult(
                $"{c.GetInput<string>() ?? "null"} {c.GetInput<Small>()?.ToString() ?? "null"} " +
                $"{c.GetInput<int?>()?.ToString() ?? "null"}"));
            await s.Run("Main", null);
            await s.Run("Main");
        }),
        new("a missing input read as a value type", async s =>
        {
            s.Orchestrator("Main", (TaskOrchestrationContext c) => Task.FromResult($"got {c.GetInput<int>()}"));
            await s.Run("Main");
        }),
        new("an input that does not fit", async s =>
        {
            s.Orchestrator("Main", (TaskOrchestrationContext c) => Task.FromResult(c.GetInput<int>()));
            var id = await s.Start("Main", "text");
            var state = await s.Until(id, m => m?.IsCompleted == true);
            s.Say($"{state?.RuntimeStatus} {state?.FailureDetails?.ErrorType}");
        }),
        new("an input read twice and as two types", async s =>
        {
            s.Orchestrator("Main", (TaskOrchestrationContext c) => Task.FromResult(
                $"{c.GetInput<Small>()} {c.GetInput<Small>()} {c.GetInput<Dictionary<string, object>>()!.Count}"));
            await s.Run("Main", new Small("x", 1));
        }),
        new("strings, numbers, booleans and lists as inputs", async s =>
        {
            s.Orchestrator("Text", (TaskOrchestrationContext c, string x) => Task.FromResult(x));
            s.Orchestrator("Number", (TaskOrchestrationContext c, long x) => Task.FromResult(x));
            s.Orchestrator("Truth", (TaskOrchestrationContext c, bool x) => Task.FromResult(x));
            s.Orchestrator("List", (TaskOrchestrationContext c, string[] x) => Task.FromResult(x));
            s.Orchestrator("Time", (TaskOrchestrationContext c, DateTime x) => Task.FromResult($"{x:O} {x.Kind}"));
            await s.Run("Text", "a \"quoted\" <tag> & 'more' ☃");
            await s.Run("Text", string.Empty);
            await s.Run("Number", long.MinValue);
            await s.Run("Truth", true);
            await s.Run("List", new[] { "a", "b" });
            await s.Run("Time", new DateTime(2026, 11, 25, 1, 2, 3, DateTimeKind.Utc));
        }),
        new("a result that cannot be written fails the activity", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                try
                {
                    return await c.CallActivityAsync<string>("Loop");
                }
                catch (TaskFailedException e)
                {
                    return e.FailureDetails.ErrorType;
                }
            });
            s.Activity("Loop", (string? _) => new Loop());
            await s.Run("Main");
        }),
        new("new ids are the same in a replay and differ from each other", async s =>
        {
            var first = new List<Guid>();
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                var a = c.NewGuid();
                var b = c.NewGuid();
                if (!c.IsReplaying && first.Count == 0) first.AddRange([a, b]);
                await c.CallActivityAsync("Fine");
                var third = c.NewGuid();
                await c.CreateTimer(TimeSpan.FromMilliseconds(20), CancellationToken.None);
                return $"{a == first[0]} {b == first[1]} {a != b} {third != a && third != b} version {a.ToString()[14]}";
            });
            s.Activity("Fine", (string? _) => 1);
            await s.Run("Main");
        }),
        new("a large input and output", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c, string x) => await c.CallActivityAsync<string>("Echo", x));
            s.Activity("Echo", (string x) => x);
            await s.Run("Main", new string('x', 200_000));
        }),
    ];

    private static void Echo<T>(Stage s)
    {
        s.Orchestrator("Main", async (TaskOrchestrationContext c, T x) => await c.CallActivityAsync<T>("Echo", x));
        s.Activity("Echo", (T x) => x);
    }

    internal enum Kind
    {
        First,
        Second,
    }

    internal sealed record Everything(
        string Text, string? Nothing, Kind Kind, DateTimeOffset Time, TimeSpan Duration, int[] Numbers, Dictionary<string, long> Map,
            decimal Price, Guid Id, byte[] Bytes);

    internal sealed record Small(string Name, int Count);

    internal sealed class WithFields
    {
#pragma warning disable CA1051 // That is the question.
        public int Field;
#pragma warning restore CA1051

        public int Property { get; set; }
    }

    [JsonDerivedType(typeof(Circle), "circle")]
    internal record Shape;

    internal sealed record Circle(int Radius) : Shape;

    internal sealed class Loop
    {
        public Loop Self => this;
    }
}
