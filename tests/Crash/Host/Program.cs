using System.Globalization;
using FunctionsBackup.Storage.FileSystem;
using FunctionsBackup.Tests.Crash.Host;

// crash-host STORE KILL-AT MOMENT DEED [ARGUMENT]: does the deed on the repository in STORE, and dies at its KILL-AT-th write.
var number = int.Parse(args[1], CultureInfo.InvariantCulture);
FileSystemObjectStore.Initialize(args[0]);
var store = new KillingObjectStore(new FileSystemObjectStore(args[0]), args[0], number, Enum.Parse<KillMoment>(args[2]));
await Deeds.DoAsync(args[3], args.Length > 4 ? args[4] : "", store, () => Console.WriteLine("open"));
Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"writes {store.Writes}"));
