using System.Numerics;
using System.Security.Cryptography;
using FunctionsBackup.Repository.Chunking;

namespace FunctionsBackup.Tests.Repository.Chunking;

public sealed class FastCdcTests
{
    private static readonly byte[] Secret = SHA256.HashData("a secret"u8);
    private static readonly ChunkerParameters Small = new(256, 1024, 8192);

    [Fact]
    public void The_same_bytes_are_cut_at_the_same_places()
    {
        var data = SampleData.Random(8 << 20);
        Cut(data, Secret, ChunkerParameters.Default).ShouldBe(Cut(data, Secret, ChunkerParameters.Default));
        // Fixed for ever: other cuts would store everything again after an upgrade.
        Cut(data, Secret, ChunkerParameters.Default).Take(4).ShouldBe(Fixture);
    }

    private static readonly int[] Fixture = [506108, 487703, 601163, 451914];

    [Fact]
    public void Sizes_keep_their_limits_and_the_average_is_near_its_target()
    {
        var lengths = Cut(SampleData.Random(128 << 20), Secret, ChunkerParameters.Default);
        lengths.SkipLast(1).Min().ShouldBeGreaterThanOrEqualTo(128 << 10);
        lengths.Max().ShouldBeLessThanOrEqualTo(2 << 20);
        lengths.Average().ShouldBeInRange(460 << 10, 560 << 10);
    }

    [Fact]
    public void Bytes_that_never_cut_give_chunks_of_the_maximum()
    {
        var lengths = Cut(new byte[5 << 20], Secret, ChunkerParameters.Default);
        lengths.ShouldBe([2 << 20, 2 << 20, 1 << 20]);
    }

    [Theory, InlineData(0), InlineData(1), InlineData(255), InlineData(256)]
    public void Short_contents_are_one_chunk_at_most(int length)
    {
        using var table = new GearTable(Secret);
        new FastCdc(table, Small).FindBoundary(SampleData.Random(length)).ShouldBe(length);
    }

    [Fact]
    public void An_insertion_changes_few_chunks()
    {
        var before = SampleData.Random(16 << 20);
        byte[] after = [.. before.AsSpan(0, 5_000_001), .. "inserted"u8, .. before.AsSpan(5_000_001)];
        var known = Hashes(before).ToHashSet();
        var changed = Hashes(after).Where(hash => !known.Contains(hash)).ToList();
        known.Count.ShouldBeGreaterThan(24);
        changed.Count.ShouldBeInRange(1, 3);
    }

    [Fact]
    public void Another_secret_cuts_elsewhere()
    {
        var data = SampleData.Random(16 << 20);
        var ours = Ends(Cut(data, Secret, ChunkerParameters.Default)).ToHashSet();
        var theirs = Ends(Cut(data, SHA256.HashData("another"u8), ChunkerParameters.Default));
        theirs.Count(ours.Contains).ShouldBe(1, "only the end of the data");
    }

    [Fact]
    public void The_fast_loop_agrees_with_the_definition()
    {
        var random = new Random(3);
        using var table = new GearTable(Secret);
        for (var round = 0; round < 400; round++)
        {
            var parameters = new ChunkerParameters(256 + random.Next(200), 512 << random.Next(3), 3000 + random.Next(4000));
            var data = SampleData.Random(random.Next(30_000), round);
            // Few byte values make some hashes come again and again.
            if (round % 3 == 0)
                for (var i = 0; i < data.Length; i++) data[i] &= 3;
            var chunker = new FastCdc(table, parameters);
            for (var at = 0; at < data.Length;)
            {
                var length = chunker.FindBoundary(data.AsSpan(at));
                length.ShouldBe(Reference(data.AsSpan(at), table, parameters));
                at += length;
            }
        }
    }

    [Theory, InlineData(255, 1024, 8192), InlineData(1024, 1024, 8192), InlineData(256, 1000, 8192), InlineData(256, 1024, 1024)]
    [InlineData(256, 1024, (2 << 20) + 1), InlineData(-1, 1024, 8192)]
    public void Impossible_parameters_are_refused(int minimum, int average, int maximum)
    {
        using var table = new GearTable(Secret);
        Should.Throw<ArgumentException>(() => new FastCdc(table, new(minimum, average, maximum)));
    }

    /// <summary>FORMAT.md §4, word for word.</summary>
    private static int Reference(ReadOnlySpan<byte> data, GearTable table, ChunkerParameters parameters)
    {
        var bits = BitOperations.Log2((uint)parameters.Average);
        var normal = Math.Max(parameters.Minimum, parameters.Average - parameters.Minimum / 4 * 3);
        for (var length = parameters.Minimum; length <= Math.Min(data.Length, parameters.Maximum); length++)
        {
            var hash = 0UL;
            foreach (var b in data[(length - 64)..length]) hash = (hash << 1) + table.Values[b];
            var tested = length <= normal ? bits + 2 : bits - 2;
            if ((hash << 1) >> (64 - tested) == 0) return length;
        }

        return Math.Min(data.Length, parameters.Maximum);
    }

    private static List<int> Cut(ReadOnlySpan<byte> data, byte[] secret, ChunkerParameters parameters)
    {
        using var table = new GearTable(secret);
        var chunker = new FastCdc(table, parameters);
        var lengths = new List<int>();
        for (; data.Length > 0; data = data[lengths[^1]..]) lengths.Add(chunker.FindBoundary(data));
        return lengths;
    }

    private static List<long> Ends(List<int> lengths)
    {
        long at = 0;
        return lengths.ConvertAll(length => at += length);
    }

    private static List<string> Hashes(byte[] data)
    {
        var at = 0;
        return Cut(data, Secret, ChunkerParameters.Default).ConvertAll(length =>
        {
            at += length;
            return Convert.ToHexString(SHA256.HashData(data.AsSpan(at - length, length)));
        });
    }
}
