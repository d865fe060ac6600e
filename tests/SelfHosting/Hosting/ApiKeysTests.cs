using System.Net;
using System.Security.Cryptography;
using System.Text;
using FunctionsBackup.SelfHosting.Hosting;
using FunctionsBackup.SelfHosting.Hosting.Access;

namespace FunctionsBackup.Tests.SelfHosting.Hosting;

public sealed class ApiKeysTests : IDisposable
{
    private readonly StateFolder _folder = new();
    private readonly ManualClock _clock = new(new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero));

    private string File => Path.Combine(_folder.Path, "sub", "api-keys.json");

    private ApiKeys Keys => new(File, _clock);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_key_is_256_random_bits_and_only_its_hash_is_kept()
    {
        var key = Keys.Add("grafana", Role.Viewer);
        key.ShouldStartWith("fbk_");
        Convert.FromBase64String(key[4..].Replace('-', '+').Replace('_', '/') + "=").Length.ShouldBe(32);
        var text = System.IO.File.ReadAllText(File);
        text.ShouldNotContain(key[4..]);
        text.ShouldContain(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key))));
        System.IO.File.GetUnixFileMode(File).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Keys.Add("other", Role.Viewer).ShouldNotBe(key);
    }

    [Fact]
    public void A_key_is_found_by_its_text_and_by_nothing_else()
    {
        var keys = Keys;
        var (viewer, approver) = (keys.Add("a", Role.Viewer), keys.Add("b", Role.Approver));
        keys.Find(viewer)!.ShouldSatisfyAllConditions(k => k.Name.ShouldBe("a"), k => k.Role.ShouldBe(Role.Viewer), k => k.CreatedAt.ShouldBe(_clock.Now));
        keys.Find(approver)!.Role.ShouldBe(Role.Approver);
        foreach (var wrong in new[] { "", "fbk_", viewer + "x", viewer[..^1], viewer.ToUpperInvariant(), new string('x', 10_000), keys.List()[0].Sha256 })
            keys.Find(wrong).ShouldBeNull();
    }

    [Fact]
    public void What_another_process_changes_is_taken_over()
    {
        var served = Keys;
        served.List().ShouldBeEmpty();
        var key = Keys.Add("a", Role.Operator);
        served.Find(key)!.Name.ShouldBe("a");
        Keys.Remove("a").ShouldBeTrue();
        served.Find(key).ShouldBeNull();
        Keys.Remove("a").ShouldBeFalse();
    }

    [Fact]
    public void A_name_is_given_once_and_has_no_strange_characters()
    {
        Keys.Add("a", Role.Viewer);
        Should.Throw<HostingException>(() => Keys.Add("a", Role.Viewer)).Message.ShouldContain("There is a key 'a' already");
        foreach (var name in new[] { "", "a b", "\n", new string('x', 65) }) Should.Throw<HostingException>(() => Keys.Add(name, Role.Viewer));
        Should.Throw<HostingException>(() => Keys.Add("x", (Role)9));
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[{}]")]
    [InlineData("""[{ "name": "a", "role": "king", "sha256": "00", "created_at": "2026-01-01T00:00:00Z" }]""")]
    [InlineData("""[{ "name": "a", "role": "viewer", "sha256": "00", "created_at": "2026-01-01T00:00:00Z" }]""")]
    [InlineData("""[{ "name": "a", "role": "viewer", "key": "x", "sha256": "00", "created_at": "2026-01-01T00:00:00Z" }]""")]
    public void A_damaged_file_opens_nothing(string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(File)!);
        System.IO.File.WriteAllText(File, text);
        Should.Throw<HostingException>(() => Keys.List());
        Should.Throw<HostingException>(() => Keys.Add("b", Role.Approver));
    }

    [Fact]
    public void Failed_attempts_of_an_address_are_limited_by_the_minute()
    {
        var failures = new FailedAttempts(_clock);
        var (a, b) = (IPAddress.Parse("192.0.2.1"), IPAddress.Parse("192.0.2.2"));
        for (var i = 0; i < FailedAttempts.Limit; i++) failures.Note(a, out _).ShouldBeTrue();
        failures.Note(a, out var wait).ShouldBeFalse();
        wait.ShouldBe(FailedAttempts.Window);
        failures.Note(b, out _).ShouldBeTrue();
        failures.Note(null, out _).ShouldBeTrue();
        _clock.Advance(FailedAttempts.Window);
        failures.Note(a, out _).ShouldBeTrue();
    }

    [Fact]
    public void Any_number_of_addresses_takes_bounded_memory()
    {
        var failures = new FailedAttempts(_clock);
        for (var i = 0; i < 25_000; i++) failures.Note(new IPAddress(i), out _).ShouldBeTrue();
    }
}
