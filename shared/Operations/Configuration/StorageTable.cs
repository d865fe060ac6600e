namespace FunctionsBackup.Operations.Configuration;

/// <summary>The settings of <c>storage:</c>, a part of the table of all.</summary>
internal static class StorageTable
{
    public static IReadOnlyList<Setting> All { get; } =
    [
        new("storage.path", SettingKind.Path, "./repository", "Folder of a filesystem repository."),

        new("storage.bucket", SettingKind.Text, null, "Bucket of an s3 repository; it must exist."),
        new("storage.endpoint", SettingKind.Url, null, "Address of the storage service, where it is not the provider's own."),
        new("storage.region", SettingKind.Text, null, "Region of the bucket; default: what the machine's AWS configuration says."),
        new("storage.prefix", SettingKind.Text, null, "Path within the bucket or container."),
        new("storage.path_style", SettingKind.Boolean, null,
            "Whether the bucket stands in the path instead of the host name; default: true where endpoint is set."),
        new("storage.profile", SettingKind.Text, null, "Profile of the machine's AWS configuration."),
        new("storage.access_key", SettingKind.Secret, null, "Access key id of an s3 repository; a role of the machine needs none."),
        new("storage.secret_key", SettingKind.Secret, null, "Secret access key of an s3 repository."),
        new("storage.session_token", SettingKind.Secret, null, "Session token of temporary keys."),
        new("storage.storage_class", SettingKind.Text, null,
            "S3 storage class of new objects, one that can be read at once; default: the bucket's."),
        new("storage.kms_key", SettingKind.Text, null, "KMS key that the s3 service encrypts new objects with, beside our own encryption."),
        new("storage.conditional_create", SettingKind.Word, "required",
            "Whether the s3 server must honour If-None-Match, or only one process ever writes (single_writer).")
        {
            Words = ["required", "single_writer"],
        },

        new("storage.account", SettingKind.Text, null, "Account of an azure_blob repository."),
        new("storage.container", SettingKind.Text, null, "Container of an azure_blob repository; it must exist."),
        new("storage.account_key", SettingKind.Secret, null, "Key of the account; a managed identity needs none."),
        new("storage.sas", SettingKind.Secret, null, "Shared access signature of the container."),
        new("storage.connection_string", SettingKind.Secret, null, "Connection string of the account, as for Azurite."),
        new("storage.managed_identity", SettingKind.Text, null, "Client id of a user-assigned managed identity."),
        new("storage.tier", SettingKind.Word, null, "Access tier of new blobs; default: the account's.")
        {
            Words = ["hot", "cool", "cold"],
        },

        new("storage.immutability.mode", SettingKind.Word, null,
            "Lock what recovery points need when it is written: governance (a special permission lifts it) or compliance (nothing does).")
        {
            Words = ["governance", "compliance"], Required = true,
        },
        new("storage.immutability.days", SettingKind.Integer, null, "How long locks last when they are set or renewed, in days; default: 30.")
        {
            Minimum = 1, Maximum = 36_500,
        },
        new("storage.tags", SettingKind.Globs, null, "Tags of new objects, each as name=value."),
        new("storage.connections", SettingKind.Integer, "16", "Connections to the service, and so requests in flight.")
        {
            Minimum = 1, Maximum = 256,
        },
        new("storage.request_timeout", SettingKind.Duration, "60s",
            "Longest time of one request, and a second more for each MiB that it carries."),
        new("storage.operation_timeout", SettingKind.Duration, "10m",
            "Longest time of one operation with all its repetitions, and a second more for each MiB."),
        new("storage.attempts", SettingKind.Integer, "8", "How often a request is sent at most.") { Minimum = 1, Maximum = 30 },
        new("storage.part_size", SettingKind.Integer, "16", "MiB of a part; objects of more than two parts are sent in parts.")
        {
            Minimum = 5, Maximum = 512,
        },
    ];
}
