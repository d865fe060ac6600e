using System.Runtime.InteropServices;

namespace FunctionsBackup.Components.Posix;

/// <summary>This process's own identity, and the names of users and groups (getpwuid_r, getgrgid_r).</summary>
public static unsafe class Accounts
{
    public static uint CurrentUser => Libc.EffectiveUser();

    public static uint CurrentGroup => Libc.EffectiveGroup();

    public static bool IsRoot { get; } = Libc.EffectiveUser() == 0;

    /// <summary>The name of a user, or null if the system knows none.</summary>
    public static string? UserName(uint id) => Find(id, user: true);

    /// <summary>The name of a group, or null if the system knows none.</summary>
    public static string? GroupName(uint id) => Find(id, user: false);

    /// <summary>The number of a user, or null if the system knows none of that name.</summary>
    public static uint? UserId(string name) => Find(name, user: true);

    /// <summary>The number of a group, or null if the system knows none of that name.</summary>
    public static uint? GroupId(string name) => Find(name, user: false);

    private static uint? Find(string name, bool user)
    {
        if (name.Length == 0 || name.Contains('\0')) return null;

        // Both records begin with two addresses (name and password), then comes the number.
        var record = stackalloc byte*[8];
        for (var size = 1024; size <= 1 << 20; size *= 4)
        {
            var buffer = new byte[size];
            fixed (byte* into = buffer)
            {
                byte** result;
                var error = user
                    ? Libc.GetUser(name, (byte*)record, into, (nuint)size, &result)
                    : Libc.GetGroup(name, (byte*)record, into, (nuint)size, &result);
                if (error == (int)PosixError.Range) continue;
                return error != 0 || result == null ? null : *(uint*)(record + 2);
            }
        }

        return null;
    }

    private static string? Find(uint id, bool user)
    {
        // Both records begin with the name's address; neither is larger than 64 bytes.
        var record = stackalloc byte*[8];
        for (var size = 1024; size <= 1 << 20; size *= 4)
        {
            var buffer = new byte[size];
            fixed (byte* into = buffer)
            {
                byte** result;
                var error = user
                    ? Libc.GetUser(id, record, into, (nuint)size, &result)
                    : Libc.GetGroup(id, record, into, (nuint)size, &result);
                if (error == (int)PosixError.Range) continue;
                return error != 0 || result == null ? null : Marshal.PtrToStringUTF8((nint)record[0]);
            }
        }

        return null;
    }
}
