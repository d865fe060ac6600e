using FunctionsBackup.Components.PostgreSql.Backup;

namespace FunctionsBackup.Tests.Components.PostgreSql.Backup;

/// <summary>A file between the reader of the stream and the worker that stores it, in every order in which the two can come to its end.</summary>
public sealed class StreamedFileTests
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task A_file_may_be_completed_after_the_worker_that_needs_no_more_of_it_let_go()
    {
        var file = new StreamedFile(null);
        await file.WriteAsync(new byte[StreamedFile.PieceSize], None); // a whole piece is handed over at once
        await file.ReadExactlyAsync(new byte[StreamedFile.PieceSize], None);
        file.Dispose();
        await file.CompleteAsync(None);
    }

    [Fact]
    public async Task A_worker_that_has_all_it_needs_waits_until_the_file_is_complete()
    {
        using var file = new StreamedFile(null);
        await file.WriteAsync(new byte[StreamedFile.PieceSize], None);
        await file.ReadExactlyAsync(new byte[StreamedFile.PieceSize], None);
        var end = file.ReadEndAsync(None).AsTask();
        end.IsCompleted.ShouldBeFalse();
        await file.CompleteAsync(None);
        await end;
    }

    [Theory]
    [InlineData(1)]
    [InlineData(StreamedFile.PieceSize)]
    public async Task Bytes_after_the_end_are_refused(int more)
    {
        using var file = new StreamedFile(null);
        await file.WriteAsync(new byte[10 + more], None);
        await file.CompleteAsync(None);
        await file.ReadExactlyAsync(new byte[10], None);
        var error = await Should.ThrowAsync<PostgresBackupException>(async () => await file.ReadEndAsync(None));
        error.Message.ShouldContain("goes on after its end");
    }
}
