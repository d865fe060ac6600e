using System.Runtime.CompilerServices;
using System.Text;
using FunctionsBackup.Components.Files.Globs;

namespace FunctionsBackup.Components.Configuration.Sources;

/// <summary>
/// Variables of this process that are allowed by name: each a document, <c>environment/NAME</c>, that holds its value and nothing more.
/// </summary>
/// <param name="environment">The variables.</param>
/// <param name="allowed">Names or globs; nothing else is looked at.</param>
/// <exception cref="FormatException">A glob is not one.</exception>
public sealed class EnvironmentSource(IReadOnlyDictionary<string, string> environment, IReadOnlyList<string> allowed) : IConfigurationSource
{
    private readonly GlobSet _allowed = GlobSet.Parse(allowed);

    public string Name => "environment";

    public async IAsyncEnumerable<ConfigurationDocument> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        foreach (var (name, value) in environment)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var part = DocumentName.Of(name);
            if (_allowed.IsMatch(Encoding.UTF8.GetBytes(part), isDirectory: false)) yield return new ConfigurationDocument(part, Encoding.UTF8.GetBytes(value));
        }
    }
}
