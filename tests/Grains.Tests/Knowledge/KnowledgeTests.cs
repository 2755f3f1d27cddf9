using AgentPlatform.Data.Changes;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Secrets;
using AgentPlatform.Fakes.Llm;
using AgentPlatform.Grains.Knowledge;
using AgentPlatform.Grains.Llm;
using AgentPlatform.Grains.Tests.Agents;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Pgvector;

namespace AgentPlatform.Grains.Tests.Knowledge;

public sealed class KnowledgeTests
{
    [Fact]
    public async Task An_article_that_changes_is_cut_again()
    {
        await using var company = await TestCompany.CreateAsync();
        var article = await company.AddArticle("Yurts", "A yurt has no electricity.");
        await company.Index();
        Assert.Equal(1L, await company.Scalar<long>("SELECT indexed_version FROM knowledge_articles"));

        await company.Execute("UPDATE knowledge_articles SET content = $2, version = version + 1 WHERE id = $1", article, "# A\nYurts are warm.\n# B\nYurts are round.");
        await company.Index();

        Assert.Equal(2L, await company.Scalar<long>("SELECT indexed_version FROM knowledge_articles"));
        Assert.Equal("A\nYurts are warm.|B\nYurts are round.", await company.Scalar<string>("SELECT string_agg(content, '|' ORDER BY chunk_index) FROM knowledge_chunks"));
        Assert.Equal("en", await company.Scalar<string>("SELECT language FROM knowledge_chunks LIMIT 1"));
        Assert.Equal("built-in-1", await company.Scalar<string>("SELECT embedding_model FROM knowledge_chunks LIMIT 1"));
    }

    [Fact]
    public async Task Several_indexers_share_the_articles_and_none_is_cut_twice()
    {
        await using var company = await TestCompany.CreateAsync();
        for (var i = 0; i < 25; i++)
        {
            await company.AddArticle($"Article {i}", $"This is about number {i}.");
        }

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(company.Index)));

        Assert.Equal(25L, await company.Scalar<long>("SELECT count(*) FROM knowledge_chunks"));
        Assert.Equal(25L, await company.Scalar<long>("SELECT count(DISTINCT article_id) FROM knowledge_chunks"));
        Assert.Equal(25L, await company.Scalar<long>("SELECT count(*) FROM knowledge_articles WHERE indexed_version = version"));
    }

    [Fact]
    public async Task An_article_that_can_not_be_indexed_does_not_hold_up_the_others()
    {
        await using var company = await TestCompany.CreateAsync();
        await company.AddArticle("Poison", "poison");
        await company.AddArticle("Fine", "This is fine.");
        await company.Database.ExecuteAsAdminAsync("ALTER TABLE knowledge_chunks ADD CONSTRAINT no_poison CHECK (content <> 'poison')");

        await company.Index();

        Assert.Equal("This is fine.", await company.Scalar<string>("SELECT content FROM knowledge_chunks"));
        await company.Database.ExecuteAsAdminAsync("ALTER TABLE knowledge_chunks DROP CONSTRAINT no_poison");
        company.Services.GetRequiredService<ArticleIndexer>().ForgetFailures();
        await company.Index();
        Assert.Equal(2L, await company.Scalar<long>("SELECT count(*) FROM knowledge_chunks"));
    }

    [Fact]
    public async Task A_saved_article_is_found_a_moment_later_without_anybody_asking()
    {
        await using var company = await TestCompany.CreateAsync();
        var indexed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var subscription = company.Services.GetRequiredService<ConfigurationChanges>().Subscribe(change =>
        {
            if (change.Table == "knowledge_articles" && company.Scalar<long>("SELECT count(*) FROM knowledge_articles WHERE indexed_version = version").GetAwaiter().GetResult() == 1)
            {
                indexed.TrySetResult();
            }
        });
        await using var listener = await PostgresListener.StartAsync(company);
        var indexer = ActivatorUtilities.CreateInstance<KnowledgeIndexer>(company.Services);
        await indexer.StartAsync(CancellationToken.None);

        await company.AddArticle("Payment", "You can pay by card or in cash.");
        await indexed.Task.WaitAsync(TimeSpan.FromSeconds(30));

        Assert.Contains("in cash", Assert.Single((await company.Ask("> How can I pay?")).Replies).Text, StringComparison.Ordinal);
        await indexer.StopAsync(CancellationToken.None);
        indexer.Dispose();
    }

    [Fact]
    public async Task Only_what_the_agent_may_know_is_found()
    {
        await using var company = await TestCompany.CreateAsync();
        var otherAgent = Guid.CreateVersion7();
        await company.Execute("INSERT INTO agents (id, organization_id, name) VALUES ($1, $2, 'Other')", otherAgent, company.OrganizationId);
        var otherOrganization = Guid.CreateVersion7();
        await company.Execute("INSERT INTO organizations (id, name, slug) VALUES ($1, 'Other', 'other')", otherOrganization);
        var text = "The secret password of the yurt is salam.";
        var everyones = await company.AddArticle("Everyone's", text);
        var mine = await company.AddArticle("Mine", text, agentId: company.AgentId);
        await company.AddArticle("The other agent's", text, agentId: otherAgent);
        await company.AddArticle("Draft", text, isPublished: false);
        await company.AddArticle("The other organization's", text, organizationId: otherOrganization);
        await company.Index();

        var found = await Search(company, "What is the secret password of the yurt?");

        Assert.Equal(new[] { everyones, mine }.Order(), found.Select(passage => passage.ArticleId!.Value).Order());
        Assert.All(found, passage => Assert.True(passage.VectorRank is not null && passage.TextRank is not null));

        await company.Execute("UPDATE knowledge_articles SET is_published = false WHERE id = $1", mine);
        Assert.Equal(everyones, Assert.Single(await Search(company, "What is the secret password of the yurt?")).ArticleId);
    }

    [Fact]
    public async Task The_seeds_function_finds_the_nearest_chunks_of_one_organization()
    {
        await using var company = await TestCompany.CreateAsync();
        var horses = await company.AddArticle("Horses", "Our horses are small and strong.");
        await company.AddArticle("Lakes", "The lake is cold even in summer.");
        await company.Index();
        await using var command = company.Services.GetRequiredService<EngineDataSource>().CreateCommand(
            "SELECT id, org_id, agent_id, article_id, content, metadata, embedding, similarity FROM match_knowledge_chunks(query_embedding => $1, org_uuid => $2, similarity_threshold => 0.1)");
        command.Parameters.Add(new() { Value = new Vector(BuiltInEmbedder.Embed("strong horses", "en")) });
        command.Parameters.Add(new() { Value = company.OrganizationId });
        await using (var reader = await command.ExecuteReaderAsync())
        {
            Assert.True(await reader.ReadAsync());
            Assert.Equal((company.OrganizationId, horses), (reader.GetGuid(1), reader.GetGuid(3)));
            Assert.True(reader.IsDBNull(2));
            Assert.Equal(1536, reader.GetFieldValue<Vector>(6).ToArray().Length);
            Assert.InRange(reader.GetDouble(7), 0.3, 1);
            Assert.False(await reader.ReadAsync());
        }

        command.Parameters[1].Value = Guid.NewGuid();
        Assert.Null(await command.ExecuteScalarAsync());
    }

    [Fact]
    public async Task The_api_sees_only_its_own_organization_through_the_function()
    {
        await using var company = await TestCompany.CreateAsync();
        await company.AddArticle("Horses", "Our horses are small and strong.");
        await company.Index();
        await using var api = new ApiDataSource(company.Database.DataOptions);
        async Task<long> Count(Guid tenant)
        {
            await using var connection = await api.OpenConnectionAsync();
            await using var transaction = await connection.BeginTransactionAsync();
            await using var enter = new NpgsqlCommand("CALL enter_tenant($1, NULL, NULL)", connection) { Parameters = { new() { Value = tenant } } };
            await enter.ExecuteNonQueryAsync();
            await using var count = new NpgsqlCommand("SELECT count(*) FROM match_knowledge_chunks($1, $2)", connection)
            {
                Parameters = { new() { Value = new Vector(BuiltInEmbedder.Embed("small strong horses", "en")) }, new() { Value = company.OrganizationId } },
            };
            return (long)(await count.ExecuteScalarAsync())!;
        }

        Assert.Equal(1, await Count(company.OrganizationId));
        Assert.Equal(0, await Count(Guid.NewGuid()));
    }

    [Theory]
    [InlineData("'); DROP TABLE knowledge_chunks; -- \\ ' | & ! <-> :*")]
    [InlineData("yurt's \\'quote\\' \u0000 end")]
    [InlineData("()()(((")]
    public async Task A_question_of_any_characters_is_only_words(string question)
    {
        await using var company = await TestCompany.CreateAsync();
        await company.AddArticle("Yurts", "A yurt's door quote faces south, knowledge tables drop.");
        await company.Index();

        await Search(company, question);

        Assert.Equal(1L, await company.Scalar<long>("SELECT count(*) FROM knowledge_chunks"));
    }

    [Fact]
    public async Task Polish_word_forms_are_found_though_PostgreSQL_does_not_know_them()
    {
        await using var company = await TestCompany.CreateAsync();
        await company.AddArticle("Jurty", "W jurtach nie ma prądu.", "pl");
        await company.Index();

        Assert.NotNull(Assert.Single(await Search(company, "Opowiedz o jurcie i jurtami", "pl")).TextRank);
    }

    [Fact]
    public async Task A_change_of_the_embedding_model_takes_effect_at_once_and_as_a_whole()
    {
        await using var model = await FakeModelServer.StartAsync();
        await using var company = await TestCompany.CreateAsync(null, ("Engine:Llm:FirstRetryDelay", "00:00:00.001"), ("Engine:Llm:MaxRetries", "0"));
        await company.AddArticle("Horses", "Our horses are small and strong.");
        await company.AddArticle("Lakes", "The lake is cold even in summer.");
        await company.Index();
        var keeper = company.Services.GetRequiredService<VectorKeeper>();
        await company.Execute("INSERT INTO llm_models (organization_id, provider, name, model_id, capabilities) VALUES ($1, 'openai_compatible', 'E', 'embed-1', '{\"embeddings\": true}')", company.OrganizationId);
        await company.Execute("INSERT INTO llm_credentials (organization_id, provider, base_url, api_key) VALUES ($1, 'openai_compatible', $2, $3)",
            company.OrganizationId, model.BaseUrl, SealedColumns.SealApiKey(company.Secrets, company.OrganizationId, "sk-test"));

        model.RefuseEmbeddings = _ => new FakeModelBehaviour.Refuse(503, "overloaded");
        Assert.Equal([company.OrganizationId], await keeper.Run(null, CancellationToken.None));
        Assert.Equal(2L, await company.Scalar<long>("SELECT count(*) FROM knowledge_chunks WHERE embedding_model = 'built-in-1'"));
        Assert.NotNull((await Search(company, "strong horses"))[0].VectorRank);

        model.RefuseEmbeddings = _ => null;
        Assert.Empty(await keeper.Run([company.OrganizationId], CancellationToken.None));
        company.Services.GetRequiredService<ConfigurationChanges>().Publish(ConfigurationChange.Everything);
        Assert.Equal(2L, await company.Scalar<long>("SELECT count(*) FROM knowledge_chunks WHERE embedding_model = 'openai_compatible/embed-1/1536'"));
        Assert.NotNull((await Search(company, "horses are small"))[0].VectorRank);
        Assert.Contains("horses are small", model.Embedded);

        // A new article is found by words at once, and by its vector once that is there.
        await company.AddArticle("Eagles", "The eagles hunt foxes.");
        await company.Index();
        Assert.Null(Assert.Single(await Search(company, "foxes")).VectorRank);
        Assert.Empty(await keeper.Run([], CancellationToken.None));
        Assert.Equal(0L, await company.Scalar<long>("SELECT count(*) FROM knowledge_chunks WHERE embedding IS NULL"));

        // A model that is away leaves the words.
        model.RefuseEmbeddings = _ => new FakeModelBehaviour.Refuse(503, "overloaded");
        Assert.NotNull(Assert.Single(await Search(company, "foxes")).TextRank);

        // Without a key there is no question's vector, and the built-in ones come back.
        await company.Execute("UPDATE llm_credentials SET is_active = false");
        Assert.Single(await Search(company, "foxes"));
        Assert.Empty(await keeper.Run([company.OrganizationId], CancellationToken.None));
        Assert.Equal(3L, await company.Scalar<long>("SELECT count(*) FROM knowledge_chunks WHERE embedding_model = 'built-in-1'"));
        Assert.Equal("built-in-1", await company.Scalar<string>("SELECT knowledge_embedding_model($1)", company.OrganizationId));
    }

    private static Task<IReadOnlyList<Passage>> Search(TestCompany company, string text, string language = "en") =>
        company.Services.GetRequiredService<KnowledgeSearch>().Search(new KnowledgeQuestion(company.OrganizationId, company.AgentId, text, null, language), CancellationToken.None);
}
