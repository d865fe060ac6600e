using Microsoft.AspNetCore.Http;

namespace FunctionsBackup.Functions.Access;

/// <summary>Finds out who calls; the host has let the request in already.</summary>
public interface ICallerSource
{
    Caller Find(HttpRequest request);
}
