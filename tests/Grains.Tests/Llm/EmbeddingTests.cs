using AgentPlatform.Fakes.Llm;
using AgentPlatform.Grains.Llm;
using AgentPlatform.Grains.Llm.OpenAi;

namespace AgentPlatform.Grains.Tests.Llm;

public sealed class EmbeddingTests
{
    [Fact]
    public async Task A_providers_vectors_come_in_the_order_of_the_texts()
    {
        await using var bed = await ModelTestBed.CreateAsync(ModelTestBed.Quick with { EmbeddingBatch = 2 });
        using var generator = new OpenAiCompatibleEmbeddingGenerator(bed.Endpoint(), bed.Transport);

        var vectors = await generator.GenerateAsync(["red horse", "blue lake", "", "red horse"]);

        Assert.Equal(4, vectors.Count);
        Assert.All(vectors.Take(2), vector => Assert.Equal(1536, vector.Vector.Length));
        Assert.Equal(1, Similarity(vectors[0].Vector.Span, vectors[3].Vector.Span), 4);
        Assert.Equal(0, Similarity(vectors[0].Vector.Span, vectors[1].Vector.Span), 4);
        Assert.Equal(0, bed.Server.Rejected);
    }

    [Fact]
    public async Task A_failed_request_for_vectors_is_tried_again()
    {
        await using var bed = await ModelTestBed.CreateAsync();
        var failures = 2;
        bed.Server.RefuseEmbeddings = _ => Interlocked.Decrement(ref failures) >= 0 ? new FakeModelBehaviour.Refuse(503, "overloaded") : null;
        using var generator = new OpenAiCompatibleEmbeddingGenerator(bed.Endpoint(), bed.Transport);

        Assert.Single(await generator.GenerateAsync(["text"]));
    }

    [Fact]
    public void The_built_in_vector_of_a_text_never_changes()
    {
        // A change here means vectors in databases no longer fit: it needs a new ModelName.
        var vector = BuiltInEmbedder.Embed("Horse trek to Song-Kul, 480 USD", "en");

        Assert.Equal("built-in-1", BuiltInEmbedder.ModelName);
        Assert.Equal(GoldenFingerprint, Fingerprint(vector));
    }

    private const string GoldenFingerprint = "10766709e1efa49e";

    [Theory]
    [InlineData("How much does the horse trek cost?", "The horse trek costs 480 USD", "Visa rules for citizens of Canada")]
    [InlineData("Сколько стоит конный тур?", "Стоимость конного тура — 480 долларов", "Питание: вегетарианские блюда")]
    [InlineData("Was kostet die Reittour?", "Die Reittour kostet 480 Dollar", "Die beste Reisezeit ist der Sommer")]
    [InlineData("Czy potrzebna jest wiza?", "Obywatele Unii nie potrzebują wizy", "Ciepła kurtka i buty")]
    [InlineData("كم سعر الرحلة؟", "سعر الرحلة 480 دولارا", "جواز السفر صالح لستة أشهر")]
    [InlineData("Combien coûte l'assurance ?", "The price of travel insurance", "Nous dormons dans des yourtes")]
    public void Built_in_vectors_of_texts_about_the_same_are_nearer(string question, string near, string far)
    {
        var asked = BuiltInEmbedder.Embed(question);

        Assert.True(Similarity(asked, BuiltInEmbedder.Embed(near)) > Similarity(asked, BuiltInEmbedder.Embed(far)) + 0.1);
    }

    [Theory]
    [InlineData("")]
    [InlineData("🐎🐎")]
    [InlineData("...")]
    public void A_text_without_words_has_a_vector_of_zeros(string text) => Assert.All(BuiltInEmbedder.Embed(text), value => Assert.Equal(0, value));

    [Fact]
    public void A_built_in_vector_has_length_one()
    {
        var vector = BuiltInEmbedder.Embed("Anything at all, whatever it may be");

        Assert.Equal(BuiltInEmbedder.Dimensions, vector.Length);
        Assert.Equal(1, Similarity(vector, vector), 5);
    }

    private static string Fingerprint(float[] vector) =>
        Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Runtime.InteropServices.MemoryMarshal.AsBytes<int>(Array.ConvertAll(vector, value => (int)MathF.Round(value * 10_000)))))[..16];

    private static float Similarity(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        float sum = 0;
        for (var i = 0; i < a.Length; i++)
        {
            sum += a[i] * b[i];
        }

        return sum;
    }
}
