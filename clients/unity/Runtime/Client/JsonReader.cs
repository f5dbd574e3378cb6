using System;
using System.Globalization;
using System.Text;

namespace Mfn
{
    /// <summary>Reads a JSON text (RFC 8259) from front to back: its caller asks for what it expects next. All methods
    /// throw FormatException where something else comes.</summary>
    internal sealed class JsonReader
    {
        private const int DeepestNesting = 64;

        private readonly string _text;
        private int _at;
        private bool _first; // no member or element of the innermost object or array was read yet

        public JsonReader(string text)
        {
            _text = text;
        }

        /// <summary>Enters an object. Its members are read by NextMember until that returns false.</summary>
        public void BeginObject()
        {
            Expect('{');
            _first = true;
        }

        /// <summary>Reads the name of an object's next member; its value has to be read next. False: the object has
        /// ended.</summary>
        public bool NextMember(out string name)
        {
            name = null;
            if (!Next('}')) return false;
            name = ReadString();
            Expect(':');
            return true;
        }

        /// <summary>Enters an array. Call NextElement before each value.</summary>
        public void BeginArray()
        {
            Expect('[');
            _first = true;
        }

        /// <summary>Whether there is another element, which has to be read next.</summary>
        public bool NextElement() => Next(']');

        public string ReadString()
        {
            Expect('"');
            var start = _at;
            while (Char() >= ' ' && Char() != '"' && Char() != '\\') _at++;
            if (Char() == '"') return _text.Substring(start, _at++ - start);
            var value = new StringBuilder(_text, start, _at - start, 0);
            while (Char() != '"')
            {
                if (Char() < ' ') throw Unexpected();
                value.Append(Char() == '\\' ? Escaped() : _text[_at++]);
            }
            _at++;
            return value.ToString();
        }

        public double ReadNumber()
        {
            SkipSpace();
            var start = _at;
            while (_at < _text.Length && "+-.0123456789Ee".IndexOf(_text[_at]) >= 0) _at++;
            var digits = _text.Substring(start, _at - start);
            if (double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)) return value;
            _at = start;
            throw Unexpected();
        }

        /// <summary>A number that fits into 64 bits, as sequences and times do; a double would round it.</summary>
        public long ReadInteger()
        {
            SkipSpace();
            var start = _at;
            while (_at < _text.Length && "-0123456789".IndexOf(_text[_at]) >= 0) _at++;
            var digits = _text.Substring(start, _at - start);
            if (long.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value))
                return value;
            _at = start;
            throw Unexpected();
        }

        public bool ReadBoolean()
        {
            if (Take("true")) return true;
            if (Take("false")) return false;
            throw Unexpected();
        }

        /// <summary>Reads a null where one comes next.</summary>
        public bool ReadNull() => Take("null");

        /// <summary>Passes over a value of any kind.</summary>
        public void Skip() => Skip(0);

        /// <summary>Throws where anything but space is left.</summary>
        public void End()
        {
            SkipSpace();
            if (_at < _text.Length) throw Unexpected();
        }

        private void Skip(int depth)
        {
            if (depth > DeepestNesting) throw Unexpected();
            SkipSpace();
            switch (Char())
            {
                case '{':
                    BeginObject();
                    while (NextMember(out _)) Skip(depth + 1);
                    break;
                case '[':
                    BeginArray();
                    while (NextElement()) Skip(depth + 1);
                    break;
                case '"':
                    ReadString();
                    break;
                case 't':
                case 'f':
                    ReadBoolean();
                    break;
                case 'n':
                    if (!ReadNull()) throw Unexpected();
                    break;
                default:
                    ReadNumber();
                    break;
            }
        }

        /// <summary>Goes on to the next member or element; false at the end of the object or array, which is
        /// passed.</summary>
        private bool Next(char end)
        {
            SkipSpace();
            var first = _first;
            _first = false;
            if (Char() == end)
            {
                _at++;
                return false; // of the one around it something was read: this
            }
            if (!first) Expect(',');
            return true;
        }

        private char Escaped()
        {
            _at++;
            var kind = Char();
            _at++;
            switch (kind)
            {
                case '"':
                case '\\':
                case '/':
                    return kind;
                case 'b':
                    return '\b';
                case 'f':
                    return '\f';
                case 'n':
                    return '\n';
                case 'r':
                    return '\r';
                case 't':
                    return '\t';
                case 'u':
                    return FromHexadecimal();
                default:
                    throw Unexpected();
            }
        }

        private char FromHexadecimal()
        {
            var digits = _text.Substring(_at, Math.Min(4, _text.Length - _at));
            const NumberStyles style = NumberStyles.AllowHexSpecifier;
            if (digits.Length < 4 || !ushort.TryParse(digits, style, CultureInfo.InvariantCulture, out var code))
                throw Unexpected();
            _at += 4;
            return (char)code;
        }

        private bool Take(string word)
        {
            SkipSpace();
            if (string.CompareOrdinal(_text, _at, word, 0, word.Length) != 0) return false;
            _at += word.Length;
            return true;
        }

        private void Expect(char character)
        {
            SkipSpace();
            if (Char() != character) throw Unexpected();
            _at++;
        }

        private void SkipSpace()
        {
            while (_at < _text.Length && " \t\r\n".IndexOf(_text[_at]) >= 0) _at++;
        }

        /// <summary>The next character; '\0', which no JSON has outside of escapes, at the end.</summary>
        private char Char() => _at < _text.Length ? _text[_at] : '\0';

        private FormatException Unexpected() =>
            new FormatException(
                _at < _text.Length
                    ? $"The JSON has an unexpected '{_text[_at]}' at character {_at}."
                    : "The JSON ends before its end.");
    }
}
