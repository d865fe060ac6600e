using System.Text.Json;
using System.Text.Json.Serialization;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Repository.Runs;

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, RespectNullableAnnotations = true, Converters = [typeof(ContentRefConverter)])]
[JsonSerializable(typeof(RunToken))]
[JsonSerializable(typeof(RunPart))]
[JsonSerializable(typeof(RecoveryPoint))]
internal sealed partial class RunJson : JsonSerializerContext;
