using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace FunctionsBackup.Components.PostgreSql.Verification;

/// <summary>
/// The system user that a PostgreSQL program runs as. PostgreSQL refuses to run as root, so root hands it down to another user with
/// <c>setpriv</c> (util-linux); anybody else runs it as himself.
/// </summary>
public sealed partial class ServerUser
{
    /// <summary>What programs of other people may know of our environment. Secrets of all kinds are in the rest, and PostgreSQL's own variables.</summary>
    private static readonly string[] Inherited =
        ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TZ", "LANG", "LD_LIBRARY_PATH"];

    private readonly string[] _prefix;

    private ServerUser(string[] prefix) => _prefix = prefix;

    /// <summary>Whether this process is root.</summary>
    public static bool IsRoot => GetEffectiveUserId() == 0;

    /// <summary>This process's own user.</summary>
    public static ServerUser Current { get; } = new([]);

    /// <summary>A user of the system by name when this process is root, this process's own user otherwise.</summary>
    public static ServerUser Named(string name) =>
        IsRoot ? new(["setpriv", $"--reuid={name}", $"--regid={name}", "--init-groups", "--"]) : Current;

    /// <summary>A user by numbers, whether or not the system knows a name for them, when this process is root; its own user otherwise.</summary>
    public static ServerUser Numbered(uint userId, uint groupId) => !IsRoot || userId == 0
        ? Current
        : new([
            "setpriv", string.Create(CultureInfo.InvariantCulture, $"--reuid={userId}"),
            string.Create(CultureInfo.InvariantCulture, $"--regid={groupId}"), "--clear-groups", "--",
        ]);

    /// <summary>A start of <paramref name="program"/> as this user, with no handle of ours left open to it, and of our environment only what is no
    /// secret.</summary>
    public ProcessStartInfo Command(string program, params IEnumerable<string> arguments)
    {
        string[] line = [.. _prefix, program, .. arguments];
        var start = new ProcessStartInfo(line[0]) { UseShellExecute = false, WorkingDirectory = "/" };
        foreach (var argument in line.AsSpan(1)) start.ArgumentList.Add(argument);
        // A restored database runs code of its own, and what belongs to another session of libpq must not reach this one either.
        foreach (var name in start.Environment.Keys.Except(Inherited).ToArray()) start.Environment.Remove(name);
        start.Environment["LC_ALL"] = "C.UTF-8";
        return start;
    }

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetEffectiveUserId();
}
