using System.Diagnostics;
using System.Runtime.InteropServices;

namespace FunctionsBackup.Tests.Cli;

/// <summary>Sends signals to a program under test.</summary>
internal static partial class Signal
{
    public const int Interrupt = 2, Kill = 9, Terminate = 15;

    public static void Send(Process process, int signal) => KillProcess(process.Id, signal).ShouldBe(0);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int KillProcess(int process, int signal);
}
