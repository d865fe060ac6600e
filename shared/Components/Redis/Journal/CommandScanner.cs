namespace FunctionsBackup.Components.Redis.Journal;

/// <summary>
/// Finds where commands end in a replication stream, which is arrays of bulk strings (RESP) and empty lines. It keeps no bytes of them. Between MULTI
/// and EXEC nothing ends: a transaction is taken whole or not at all.
/// </summary>
internal sealed class CommandScanner
{
    private const int MaximumWords = 16 << 20;
    private const long MaximumWord = 4L << 30;

    private readonly byte[] _name = new byte[5];
    private State _state = State.Between;
    private long _number, _left;
    private int _digits, _words, _word, _nameLength;
    private bool _isInTransaction;

    private enum State
    {
        Between,
        Count,
        CountEnd,
        Word,
        Length,
        LengthEnd,
        Bytes,
        BytesReturn,
        BytesEnd,
    }

    /// <summary>Goes on with the stream.</summary>
    /// <returns>How many of the bytes belong to what has ended; -1: nothing ended in them.</returns>
    /// <exception cref="InvalidDataException">It is no stream of commands.</exception>
    public int Feed(ReadOnlySpan<byte> bytes)
    {
        var boundary = -1;
        for (var i = 0; i < bytes.Length;)
        {
            if (_state == State.Bytes)
            {
                var length = (int)Math.Min(_left, bytes.Length - i);
                Remember(bytes.Slice(i, length));
                (i, _left) = (i + length, _left - length);
                if (_left == 0) _state = State.BytesReturn;
                continue;
            }

            if (Step(bytes[i++]) && !_isInTransaction) boundary = i;
        }

        return boundary;
    }

    /// <summary>One byte that is not of a word; true: a command ends with it.</summary>
    private bool Step(byte next)
    {
        switch (_state)
        {
            case State.Between:
                if (next == '\n') return true;
                Begin(next, '*', State.Count);
                return false;
            case State.Count:
                if (Digit(next, MaximumWords)) return false;
                if (_number == 0) throw Nonsense();
                (_words, _word, _nameLength) = ((int)_number, 0, 0);
                _state = State.CountEnd;
                return false;
            case State.CountEnd:
                Expect(next, '\n', State.Word);
                return false;
            case State.Word:
                Begin(next, '$', State.Length);
                return false;
            case State.Length:
                if (Digit(next, MaximumWord)) return false;
                _left = _number;
                _state = State.LengthEnd;
                return false;
            case State.LengthEnd:
                Expect(next, '\n', _left > 0 ? State.Bytes : State.BytesReturn);
                return false;
            case State.BytesReturn:
                Expect(next, '\r', State.BytesEnd);
                return false;
            default:
                Expect(next, '\n', ++_word == _words ? State.Between : State.Word);
                if (_state != State.Between) return false;
                if (Is("MULTI"u8)) _isInTransaction = true;
                else if (Is("EXEC"u8)) _isInTransaction = false;
                return true;
        }
    }

    private void Begin(byte next, char expected, State then)
    {
        Expect(next, expected, then);
        (_number, _digits) = (0, 0);
    }

    /// <summary>False: the number has ended.</summary>
    private bool Digit(byte next, long limit)
    {
        if (next == '\r' && _digits > 0) return false;
        if (next is < (byte)'0' or > (byte)'9') throw Nonsense();
        _number = (_number * 10) + (next - '0');
        if (++_digits > 12 || _number > limit) throw Nonsense();
        return true;
    }

    private void Expect(byte next, char expected, State then)
    {
        if (next != expected) throw Nonsense();
        _state = then;
    }

    /// <summary>Only what the command is called, and only if that may matter.</summary>
    private void Remember(ReadOnlySpan<byte> bytes)
    {
        if (_word > 0) return;
        foreach (var b in bytes)
        {
            if (_nameLength < _name.Length) _name[_nameLength] = (byte)(b & ~0x20);
            if (_nameLength <= _name.Length) _nameLength++;
        }
    }

    private bool Is(ReadOnlySpan<byte> name) => _nameLength == name.Length && _name.AsSpan(0, _nameLength).SequenceEqual(name);

    private static InvalidDataException Nonsense() => new("It holds what is no command.");
}
