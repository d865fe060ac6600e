namespace FunctionsBackup.Components;

/// <summary>How far a backup or restore is; bytes of the source or target. Totals are 0 while unknown.</summary>
public readonly record struct WorkProgress(long FilesDone, long FilesTotal, long BytesDone, long BytesTotal, string? Current = null);
