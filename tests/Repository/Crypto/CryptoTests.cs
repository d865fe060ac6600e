using System.Security.Cryptography;
using System.Text;
using FunctionsBackup.Repository.Crypto;

namespace FunctionsBackup.Tests.Repository.Crypto;

public sealed class CryptoTests
{
    [Theory]
    // RFC 7914 §12; the last one of it needs 1 GiB and is left out.
    [InlineData("", "", 16, 1, 1,
        "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906")]
    [InlineData("password", "NaCl", 1024, 8, 16,
        "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640")]
    [InlineData("pleaseletmein", "SodiumChloride", 16384, 8, 1,
        "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887")]
    public void Scrypt_gives_the_vectors_of_RFC_7914(string passphrase, string salt, int n, int r, int p, string expected)
    {
        var key = new byte[64];
        Scrypt.DeriveKey(Encoding.ASCII.GetBytes(passphrase), Encoding.ASCII.GetBytes(salt), new(n, r, p), key);
        Convert.ToHexStringLower(key).ShouldBe(expected);
    }

    [Fact]
    public void Scrypt_runs_with_the_default_parameters()
    {
        var key = new byte[32];
        Scrypt.DeriveKey("passphrase"u8, new byte[32], ScryptParameters.Default, key);
        key.ShouldNotBe(new byte[32]);
    }

    [Theory]
    [InlineData(0, 8, 1), InlineData(1, 8, 1), InlineData(3, 8, 1), InlineData(-16, 8, 1), InlineData(16, 0, 1), InlineData(16, 8, 0)]
    [InlineData(1 << 20, 8, 2), InlineData(1 << 30, int.MaxValue, int.MaxValue), InlineData(16, 8, 1 << 20)]
    public void Scrypt_refuses_hostile_parameters(int n, int r, int p)
    {
        new ScryptParameters(n, r, p).IsValid.ShouldBeFalse();
        Should.Throw<ArgumentException>(() => Scrypt.DeriveKey("a"u8, "b"u8, new(n, r, p), new byte[32]));
    }

    [Fact]
    public void A_chunk_id_is_the_start_of_the_keyed_hash()
    {
        var key = SHA256.HashData("key"u8);
        using var hasher = new ChunkIdHasher(key);
        foreach (var length in new[] { 0, 1, 32768, 100_000 })
        {
            var data = SampleData.Random(length);
            var expected = Convert.ToHexStringLower(HMACSHA256.HashData(key, data).AsSpan(0, 24));
            hasher.Compute(data).ToString().ShouldBe(expected);
            hasher.Compute(data).ToString().ShouldBe(expected);
        }
    }

    [Fact]
    public void Derived_keys_are_HKDF_and_differ_by_purpose_and_salt()
    {
        var key = SHA256.HashData("key"u8);
        using var plain = KeyDerivation.Derive(key, "one"u8, "salt"u8);
        var expected = new byte[32];
        HKDF.Expand(HashAlgorithmName.SHA256, key, expected, "one\0salt"u8);
        plain.Span.ToArray().ShouldBe(expected);
        using var other = KeyDerivation.Derive(key, "two"u8, "salt"u8);
        using var salted = KeyDerivation.Derive(key, "one"u8, "sale"u8);
        other.Span.SequenceEqual(plain.Span).ShouldBeFalse();
        salted.Span.SequenceEqual(plain.Span).ShouldBeFalse();
        Should.Throw<ArgumentException>(() => KeyDerivation.Derive(new byte[31], "one"u8));
    }

    [Fact]
    public void A_box_opens_with_its_own_key_and_context_only()
    {
        var key = SHA256.HashData("key"u8);
        var box = AesGcmBox.Seal(key, "secret"u8, "context"u8);
        using (var opened = AesGcmBox.TryOpen(key, box, "context"u8)) opened!.Span.ToArray().ShouldBe("secret"u8.ToArray());
        AesGcmBox.TryOpen(SHA256.HashData("other"u8), box, "context"u8).ShouldBeNull();
        AesGcmBox.TryOpen(key, box, "contexts"u8).ShouldBeNull();
        for (var i = 0; i < box.Length; i++)
        {
            AesGcmBox.TryOpen(key, box.AsSpan(0, i), "context"u8).ShouldBeNull();
            var flipped = (byte[])box.Clone();
            flipped[i] ^= 1;
            AesGcmBox.TryOpen(key, flipped, "context"u8).ShouldBeNull();
        }

        AesGcmBox.Seal(key, "secret"u8, "context"u8).ShouldNotBe(box, "nonces are random");
    }

    [Fact]
    public void Secrets_are_wiped_and_never_printed()
    {
        var secret = SecretBytes.Copy("top secret"u8);
        secret.ToString().ShouldNotContain("top");
        secret.Dispose();
        Should.Throw<ObjectDisposedException>(() => secret.Span.Length);
    }
}
