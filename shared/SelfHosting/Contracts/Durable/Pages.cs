namespace Microsoft.DurableTask;

/// <summary>A sequence that is fetched page by page.</summary>
public abstract class AsyncPageable<T> : IAsyncEnumerable<T>
    where T : notnull
{
    /// <param name="continuationToken">Where to go on: that of the page before.</param>
    /// <param name="pageSizeHint">How many values a page should have.</param>
    public abstract IAsyncEnumerable<Page<T>> AsPages(string? continuationToken = null, int? pageSizeHint = null);

    public async IAsyncEnumerator<T> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        await foreach (var page in AsPages().WithCancellation(cancellationToken).ConfigureAwait(false))
            foreach (var value in page.Values) yield return value;
    }
}

/// <summary>Some values, and where to go on.</summary>
public sealed class Page<T>(IReadOnlyList<T> values, string? continuationToken = null)
    where T : notnull
{
    public IReadOnlyList<T> Values { get; } = values;

    /// <summary>Null on the last page.</summary>
    public string? ContinuationToken { get; } = continuationToken;
}
