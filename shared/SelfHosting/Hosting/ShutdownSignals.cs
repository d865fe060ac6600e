using System.Runtime.InteropServices;

namespace FunctionsBackup.SelfHosting.Hosting;

/// <summary>SIGTERM and SIGINT as tokens: the first asks for an orderly stop, a second one ends its grace time.</summary>
public sealed class ShutdownSignals : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _now = new();
    private readonly List<PosixSignalRegistration> _registrations = [];

    public ShutdownSignals()
    {
        foreach (var signal in new[] { PosixSignal.SIGTERM, PosixSignal.SIGINT })
            _registrations.Add(PosixSignalRegistration.Create(signal, Receive));
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Stop => _stop.Token;

    /// <summary>Cancelled by the second.</summary>
    public CancellationToken Now => _now.Token;

    /// <summary>0: a service was stopped, as services are; 130: somebody interrupted it.</summary>
    public int ExitCode { get; private set; }

    public void Dispose()
    {
        foreach (var registration in _registrations) registration.Dispose();
        _stop.Dispose();
        _now.Dispose();
    }

    private void Receive(PosixSignalContext context)
    {
        context.Cancel = true;
        if (_stop.IsCancellationRequested)
        {
            _now.Cancel();
            return;
        }

        ExitCode = context.Signal == PosixSignal.SIGINT ? 130 : 0;
        _stop.Cancel();
    }
}
