namespace FunctionsBackup.Components.Redis.Protocol;

/// <summary>A Redis server refused, did not answer, or said what the protocol does not allow. One sentence, with the mend, without secrets.</summary>
public class RedisException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The first word of the server's error: <c>WRONGPASS</c>, <c>NOPERM</c>, <c>LOADING</c>; null: it was not the server that said so.</summary>
    public string? Code { get; init; }

    /// <summary>Whether the same may succeed when it is done again.</summary>
    public bool IsTransient { get; init; }

    /// <summary>Whether a person must change the password, the user's rights or the configuration.</summary>
    public bool IsDenied => Code is "WRONGPASS" or "NOAUTH" or "NOPERM" or "DENIED";

    /// <summary>Whether the server does not have the command, or does not let this user run it.</summary>
    public bool IsRefusal => Code is "NOPERM" || (Code == "ERR" && Message.Contains("unknown command", StringComparison.OrdinalIgnoreCase));

    internal static RedisException Lost(string server, Exception? inner = null) =>
        new($"The connection to Redis at {server} broke off; look at the server and at the network.", inner) { IsTransient = true };

    internal static RedisException Nonsense(string server, string what) =>
        new($"Redis at {server} sent what is no answer ({what}); is there a Redis server at that address?");

    /// <summary>From an error reply: <c>CODE what it says</c>.</summary>
    internal static RedisException Of(string server, string error)
    {
        var space = error.IndexOf(' ');
        var code = space > 0 && error.AsSpan(0, space).IndexOfAnyExceptInRange('A', 'Z') < 0 ? error[..space] : "ERR";
        var mend = code switch
        {
            "WRONGPASS" or "NOAUTH" => "; put the user and the password into components.redis.connection: redis://USER:PASSWORD@HOST:PORT",
            "NOPERM" => "; give the user the right to it",
            "LOADING" or "BUSY" or "MASTERDOWN" or "TRYAGAIN" or "OOM" => "; try again later",
            _ => "",
        };
        return new RedisException($"Redis at {server} said: {Printable(error).TrimEnd('.')}{mend}.")
        {
            Code = code, IsTransient = code is "LOADING" or "BUSY" or "MASTERDOWN" or "TRYAGAIN" or "NOMASTERLINK",
        };
    }

    private static string Printable(string text) => new([.. text.Take(200).Select(c => char.IsControl(c) ? '?' : c)]);
}
