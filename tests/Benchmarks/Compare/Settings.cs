using System.Globalization;

namespace FunctionsBackup.Benchmarks.Compare;

/// <summary>What to run; see <c>compare --help</c>.</summary>
public sealed record Settings
{
    /// <summary>Everything is made below this directory, which the calling script removes.</summary>
    public required string Work { get; init; }

    /// <summary>The product's command.</summary>
    public required string Product { get; init; }

    /// <summary>Where Debian trixie's programs are.</summary>
    public required string Trixie { get; init; }

    public bool Quick { get; init; }

    public int Runs { get; init; } = 3;

    /// <summary><c>files</c>, <c>database</c> or both.</summary>
    public string Only { get; init; } = "files,database";

    /// <summary>Contenders to leave out.</summary>
    public string Without { get; init; } = "";

    /// <summary>15: the machine's own packages; 17: trixie's.</summary>
    public int Postgres { get; init; } = 15;

    public string? Json { get; init; }

    public string? Markdown { get; init; }

    public ulong Seed { get; init; } = 20261122;

    public long FileBytes => Quick ? 80_000_000 : 1_100_000_000;

    public long DatabaseBytes => Quick ? 80_000_000 : 1_600_000_000;

    public string PostgresPrograms => Postgres == 17 ? Path.Combine(Trixie, "usr/lib/postgresql/17/bin") : $"/usr/lib/postgresql/{Postgres}/bin";

    public static Settings Parse(ReadOnlySpan<string> arguments)
    {
        var settings = new Settings { Work = "", Product = "", Trixie = "" };
        for (var i = 0; i < arguments.Length; i++)
        {
            if (arguments[i] == "--quick")
            {
                settings = settings with { Quick = true, Runs = 1 };
                continue;
            }

            if (i + 1 == arguments.Length) throw new FormatException($"{arguments[i]} needs a value, or is not known; see compare --help.");
            var value = arguments[++i];
            settings = arguments[i - 1] switch
            {
                "--work" => settings with { Work = value },
                "--product" => settings with { Product = value },
                "--trixie" => settings with { Trixie = value },
                "--runs" => settings with { Runs = int.Parse(value, CultureInfo.InvariantCulture) },
                "--only" => settings with { Only = value },
                "--without" => settings with { Without = value },
                "--postgres" => settings with { Postgres = int.Parse(value, CultureInfo.InvariantCulture) },
                "--json" => settings with { Json = value },
                "--markdown" => settings with { Markdown = value },
                "--seed" => settings with { Seed = ulong.Parse(value, CultureInfo.InvariantCulture) },
                _ => throw new FormatException($"{arguments[i - 1]} is not known; see compare --help."),
            };
        }

        return settings;
    }

    public bool Takes(string contender) => !Without.Split(',').Contains(contender, StringComparer.OrdinalIgnoreCase);
}
