namespace FunctionsBackup.Storage.Posix;

/// <summary>
/// The error numbers of Linux (asm-generic, the same on x64 and arm64) that a store tells apart. Others pass as plain numbers.
/// </summary>
internal enum Errno
{
    None = 0,
    EPERM = 1,
    ENOENT = 2,
    EINTR = 4,
    EIO = 5,
    ENXIO = 6,
    EAGAIN = 11,
    ENOMEM = 12,
    EACCES = 13,
    EBUSY = 16,
    EEXIST = 17,
    EXDEV = 18,
    ENODEV = 19,
    ENOTDIR = 20,
    EISDIR = 21,
    EINVAL = 22,
    ENFILE = 23,
    EMFILE = 24,
    EFBIG = 27,
    ENOSPC = 28,
    EROFS = 30,
    EMLINK = 31,
    ENAMETOOLONG = 36,
    ENOSYS = 38,
    ELOOP = 40,
    EOPNOTSUPP = 95,
    ENETUNREACH = 101,
    ENOTCONN = 107,
    ETIMEDOUT = 110,
    EHOSTDOWN = 112,
    EHOSTUNREACH = 113,
    ESTALE = 116,
    EREMOTEIO = 121,
    EDQUOT = 122,
}
