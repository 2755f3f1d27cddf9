using System.Security.Cryptography;
using System.Text;

namespace AgentPlatform.Fakes.Smtp;

/// <summary>The server's side of a sign-in (RFC 4954), each mechanism as its RFC has it.</summary>
internal static class SmtpSasl
{
    private const int Iterations = 4096;

    /// <summary>Whether the client proved who it is. <paramref name="ask"/> sends a challenge and gives the client's answer, both without their base64.</summary>
    public static async Task<bool> Run(string mechanism, byte[]? initial, SmtpServerOptions options, Func<byte[], Task<byte[]>> ask)
    {
        Task<byte[]> First() => initial is null ? ask([]) : Task.FromResult(initial);
        switch (mechanism)
        {
            case "PLAIN":
                return Text(await First()) == $"\0{options.User}\0{options.Password}";
            case "LOGIN":
                var user = initial is null ? await ask("Username:"u8.ToArray()) : initial;
                return (Text(user), Text(await ask("Password:"u8.ToArray()))) == (options.User, options.Password);
            case "XOAUTH2":
                return await Bearer(Text(await First()) == $"user={options.User}\u0001auth=Bearer {options.Token}\u0001\u0001", ask);
            case "OAUTHBEARER":
                // RFC 7628: the host and the port are the client's to add.
                var said = Text(await First()).Split('\u0001');
                return await Bearer(said[0] == $"n,a={options.User}," && said.Contains($"auth=Bearer {options.Token}"), ask);
            default:
                return await Scram(Text(await First()), options, ask);
        }
    }

    /// <summary>A refused token is answered with a challenge that tells why, to which the client has nothing to say.</summary>
    private static async Task<bool> Bearer(bool isRight, Func<byte[], Task<byte[]>> ask)
    {
        if (!isRight)
        {
            await ask("""{"status":"401","schemes":"bearer"}"""u8.ToArray());
        }
        return isRight;
    }

    /// <summary>RFC 5802 and 7677, without channel binding.</summary>
    private static async Task<bool> Scram(string first, SmtpServerOptions options, Func<byte[], Task<byte[]>> ask)
    {
        var bare = first.StartsWith("n,,", StringComparison.Ordinal) ? first[3..] : "";
        if (bare.Split(',') is not [var name, var clientNonce] || name != $"n={options.User}")
        {
            return false;
        }
        var salt = RandomNumberGenerator.GetBytes(16);
        var nonce = $"{clientNonce}{Convert.ToHexString(RandomNumberGenerator.GetBytes(8))}";
        var challenge = $"{nonce},s={Convert.ToBase64String(salt)},i={Iterations}";
        var last = Text(await ask(Encoding.UTF8.GetBytes(challenge)));
        var withoutProof = last[..last.LastIndexOf(",p=", StringComparison.Ordinal)];
        if (withoutProof != $"c=biws,{nonce}")
        {
            return false;
        }
        var salted = Rfc2898DeriveBytes.Pbkdf2(options.Password!, salt, Iterations, HashAlgorithmName.SHA256, 32);
        var clientKey = HMACSHA256.HashData(salted, "Client Key"u8);
        var signed = Encoding.UTF8.GetBytes($"{bare},{challenge},{withoutProof}");
        var signature = HMACSHA256.HashData(SHA256.HashData(clientKey), signed);
        var proof = Convert.ToBase64String([.. clientKey.Zip(signature, (key, part) => (byte)(key ^ part))]);
        if (last != $"{withoutProof},p={proof}")
        {
            return false;
        }
        await ask(Encoding.UTF8.GetBytes($"v={Convert.ToBase64String(HMACSHA256.HashData(HMACSHA256.HashData(salted, "Server Key"u8), signed))}"));
        return true;
    }

    private static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);
}
