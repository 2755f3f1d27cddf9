using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace AgentPlatform.Bench.Load;

/// <summary>One kept-alive connection with one request at a time. Answers are read only as far as a load needs: status and length.</summary>
internal sealed class LoadConnection : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly SocketAsyncEventArgs _receiving = new();
    private readonly byte[] _buffer = new byte[16 * 1024];
    private readonly Action<LoadConnection, int> _answered;
    private int _filled;

    /// <param name="answered">Told the status of each answer; 0 when the connection broke.</param>
    public LoadConnection(Action<LoadConnection, int> answered)
    {
        _answered = answered;
        _receiving.Completed += (_, _) => Continue();
    }

    /// <summary>When the request under way was due, in ticks of the stopwatch.</summary>
    public long DueAt { get; set; }

    public void Connect(int port) => _socket.Connect(IPAddress.Loopback, port);

    /// <summary>Sends a request; the answer comes by the callback, on any thread.</summary>
    public void Send(ReadOnlyMemory<byte> request)
    {
        _filled = 0;
        for (var sent = 0; sent < request.Length;)
        {
            sent += _socket.Send(request.Span[sent..]);
        }
        if (!Receive())
        {
            Continue();
        }
    }

    private bool Receive()
    {
        _receiving.SetBuffer(_buffer, _filled, _buffer.Length - _filled);
        return _socket.ReceiveAsync(_receiving);
    }

    private void Continue()
    {
        do
        {
            if (_receiving.SocketError != SocketError.Success || _receiving.BytesTransferred == 0)
            {
                _answered(this, 0);
                return;
            }
            _filled += _receiving.BytesTransferred;
            if (IsWhole(_buffer.AsSpan(0, _filled), out var status))
            {
                _answered(this, status);
                return;
            }
        }
        while (!Receive());
    }

    /// <summary>True when head and body are there. A body without a length must be chunked.</summary>
    private static bool IsWhole(ReadOnlySpan<byte> answer, out int status)
    {
        status = 0;
        var head = answer.IndexOf("\r\n\r\n"u8);
        if (head < 0)
        {
            return false;
        }
        status = (answer[9] - '0') * 100 + (answer[10] - '0') * 10 + (answer[11] - '0');
        var at = answer[..head].IndexOf("Content-Length: "u8);
        if (at < 0)
        {
            return status == 204 || answer.EndsWith("0\r\n\r\n"u8);
        }
        var digits = answer[(at + 16)..];
        return answer.Length >= head + 4 + int.Parse(Encoding.ASCII.GetString(digits[..digits.IndexOf((byte)'\r')]), CultureInfo.InvariantCulture);
    }

    public void Dispose()
    {
        _socket.Dispose();
        _receiving.Dispose();
    }
}
