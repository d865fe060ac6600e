using System.Globalization;
using FunctionsBackup.Components.Files.Backup;
using FunctionsBackup.Components.Posix;
using FunctionsBackup.Repository.Catalogs;

namespace FunctionsBackup.Components.Files.Restore;

/// <summary>
/// Which user and group here owns what had an owner there. By number, so that a restore gives back exactly what was there, into containers
/// and on rescue systems too; or by the names that the backup noted, for a machine that numbers its accounts differently. A name that this
/// machine does not know, and a number that had no name, stay numbers.
/// </summary>
internal sealed class OwnerMap
{
    private readonly IReadOnlyDictionary<uint, uint> _users, _groups;

    private OwnerMap(IReadOnlyDictionary<uint, uint> users, IReadOnlyDictionary<uint, uint> groups, IReadOnlyList<string> unknown) =>
        (_users, _groups, Unknown) = (users, groups, unknown);

    public static OwnerMap ByNumber { get; } = new(new Dictionary<uint, uint>(), new Dictionary<uint, uint>(), []);

    /// <summary>Names that this machine does not know, with what they are.</summary>
    public IReadOnlyList<string> Unknown { get; }

    public static OwnerMap ByName(FilesBackupDetails details) => ByName(details, Accounts.UserId, Accounts.GroupId);

    internal static OwnerMap ByName(FilesBackupDetails details, Func<string, uint?> findUser, Func<string, uint?> findGroup)
    {
        var unknown = new List<string>();
        return new OwnerMap(Map(details.Users, findUser, "user"), Map(details.Groups, findGroup, "group"), unknown);

        Dictionary<uint, uint> Map(IReadOnlyDictionary<string, string> names, Func<string, uint?> find, string kind)
        {
            var map = new Dictionary<uint, uint>();
            foreach (var (number, name) in names)
            {
                // Numbers come from the repository: one that is none has no effect.
                if (!uint.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var id)) continue;
                if (find(name) is { } here) map[id] = here;
                else unknown.Add($"{kind} {name} ({id})");
            }

            return map;
        }
    }

    public uint UserOf(CatalogEntry entry) => _users.GetValueOrDefault(entry.UserId, entry.UserId);

    public uint GroupOf(CatalogEntry entry) => _groups.GetValueOrDefault(entry.GroupId, entry.GroupId);
}
